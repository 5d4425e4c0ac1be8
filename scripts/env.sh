# Sourced by the other scripts: a clean, offscreen QGIS with a home, profile and store of its own, removed at the end.
# Sets $python (the project's), $qgis_process and $work (a scratch folder).
set -eu
root=$(pwd)
python="$root/.venv/bin/python"
# Debian 12's qgis_process wrapper passes an option that the program does not know; the program itself lies beside it.
qgis_process=$(command -v qgis_process.bin || command -v qgis_process)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkdir -p "$work/plugins"
mkdir -m 700 "$work/run"
export HOME="$work" XDG_RUNTIME_DIR="$work/run" EPOCH_STORE="$work/store.gpkg" QGIS_PLUGINPATH="$work/plugins"
export QT_QPA_PLATFORM=offscreen LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore::DeprecationWarning
if [ -d /usr/share/proj ]; then export PROJ_DATA=/usr/share/proj; fi  # in a venv pyproj looks for it under the venv
unset PYTHONPATH QGIS_CUSTOM_CONFIG_PATH
# Programs that QGIS starts find the platform's Python, not a developer's.
export PATH="/usr/bin:/bin:/usr/sbin:/sbin"
