#!/bin/sh
# Install what `make demo` and `make test` need and is missing. On Debian and Ubuntu: packages, as root or through sudo.
# Then a virtual environment .venv that sees the platform's Python packages (QGIS, GDAL, numpy, shapely, pyproj).
set -eu
cd "$(dirname "$0")/.."

packages="qgis python3-qgis qgis-providers python3-gdal python3-numpy python3-shapely python3-pyproj \
python3-pytest python3-pytestqt python3-geopandas python3-rasterio python3-jsonschema python3-venv python3-pip xvfb xauth fonts-open-sans fonts-dejavu-core"

if command -v apt-get >/dev/null; then
    missing=""
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        echo "Installing (a few minutes where QGIS is missing)$missing"
        as_root=""
        if [ "$(id -u)" != 0 ]; then as_root="sudo"; fi
        $as_root apt-get update -qq
        # shellcheck disable=SC2086  # a list of words
        said=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends $missing 2>&1) ||
            { echo "$said" >&2; exit 1; }
    fi
fi

wanted=$(cat requirements-dev.txt requirements-peers.txt constraints-debian12.txt | sha256sum | cut -c1-64)
if [ "$(cat .venv/.installed 2>/dev/null || true)" != "$wanted" ]; then
    constraints=""
    if grep -q '^12' /etc/debian_version 2>/dev/null; then constraints="-c constraints-debian12.txt"; fi
    echo "Setting up .venv"
    /usr/bin/python3 -m venv --clear --system-site-packages .venv
    # shellcheck disable=SC2086  # two words or none
    .venv/bin/python -m pip install -q --disable-pip-version-check $constraints -r requirements-dev.txt
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -r requirements-peers.txt
    echo "$wanted" >.venv/.installed
fi
