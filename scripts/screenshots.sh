#!/bin/sh
# Pictures of the real QGIS window with each dock on the sample, light and dark, at 100 and 200 %, into build/screenshots (or the folder
# given); of all themes and sizes, those that the docs show go into docs/images.
#   sh scripts/screenshots.sh [FOLDER] [light|dark] [1|2]
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
folder=${1:-"$root/build/screenshots"}
qgis=$(command -v qgis.bin || command -v qgis)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

shoot() {  # theme, scale
    profile="$work/$1-$2"
    mkdir -p "$profile/profiles/default/QGIS" "$profile/profiles/default/python/plugins"
    mkdir -m 700 "$profile/run"
    ln -s "$root" "$profile/profiles/default/python/plugins/epoch_plugin"
    ui_theme=default
    if [ "$1" = dark ]; then ui_theme="Night Mapping"; fi
    printf '[PythonPlugins]\nepoch_plugin=true\n[qgis]\ncheckVersion=false\nshowTips=false\n[UI]\nUITheme=%s\n[app]\npluginsRequireVersionCheck=false\n' \
        "$ui_theme" >"$profile/profiles/default/QGIS/QGIS3.ini"
    env -u QT_QPA_PLATFORM HOME="$profile" XDG_RUNTIME_DIR="$profile/run" EPOCH_STORE="$profile/collections.gpkg" LANG=C.UTF-8 \
        PATH="/usr/bin:/bin:/usr/sbin:/sbin" PYTHONDONTWRITEBYTECODE=1 \
        QT_LOGGING_RULES='*.debug=false' QT_SCALE_FACTOR="$2" SHOT_FOLDER="$folder" SHOT_NAME="$1-$2" \
        timeout 300 xvfb-run -a -s "-screen 0 $((1440 * $2))x$((900 * $2))x24 -nolisten tcp" \
        "$qgis" --nologo --noversioncheck --nocustomization --profiles-path "$profile" --profile default --code "$root/scripts/screenshots.py"
}

for theme in ${2:-light dark}; do
    for scale in ${3:-1 2}; do
        shoot "$theme" "$scale"
    done
done

if [ $# -le 1 ]; then "$root/.venv/bin/python" scripts/shrink_pictures.py "$folder"; fi
