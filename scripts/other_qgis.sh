#!/bin/sh
# The tests in another QGIS: a chroot with a newer Debian (QGIS, Qt, GDAL, numpy, shapely of that release), made on first use.
# sh scripts/other_qgis.sh [SUITE [PYTEST ARGUMENTS...]]: `trixie` (default) has QGIS 3.40, `sid` QGIS 3.44.
# Needs root, about 2 GB under /var/tmp, and the folder `shared` beside this checkout, whose tools make and enter chroots.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
suite=${1:-trixie}
if [ $# -gt 0 ]; then shift; fi
if [ $# -eq 0 ]; then set -- tests/layout tests/qgis tests/core; fi

tools="$root/../shared/tools"
if [ ! -x "$tools/mkchroot.sh" ]; then
    echo "There is no ../shared/tools/mkchroot.sh: other QGIS versions are tested where that folder is at hand." >&2
    exit 1
fi
shared=$(cd "$tools/.." && pwd)
chroot="/var/tmp/epoch-qgis/$suite"
if [ ! -x "$chroot/usr/bin/qgis_process" ]; then
    mkdir -p "$(dirname "$chroot")"
    "$tools/mkchroot.sh" "$suite" "$chroot"
fi

# Test tools and oracles for the chroot's Python, fetched from outside, without what they depend on: that is the chroot's own.
version=$(chroot "$chroot" /usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
extras="$root/build/other_qgis/$suite"
if [ ! -e "$extras/.installed" ]; then
    rm -rf "$extras"
    # shellcheck disable=SC2046  # a list of words
    .venv/bin/python -m pip install -q --disable-pip-version-check --target "$extras" --python-version "$version" --only-binary :all: --no-deps \
        $(grep -E '^(exactextract|pyarrow|pytest-qgis)==' requirements-dev.txt)
    touch "$extras/.installed"
fi

# In a mount namespace of its own: what is bound for the run is gone after it. `make test` knows the style, type and package checks.
exec unshare --mount env BIND="$root $shared" \
    ENVS="QT_QPA_PLATFORM=offscreen LC_ALL=C.UTF-8 PYTHONPATH=$extras PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore::DeprecationWarning" \
    "$tools/inchroot.sh" "$chroot" sh -c 'cd "$0" && exec /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@"' "$root" "$@"
