#!/bin/sh
# Install the peers that are compared with into .venv, and run the benchmark; arguments are those of `python -m bench`.
set -eu
cd "$(dirname "$0")/.."
constraints=""
if grep -q '^12' /etc/debian_version 2>/dev/null; then constraints="-c constraints-debian12.txt"; fi
# shellcheck disable=SC2086  # two words or none
.venv/bin/python -m pip install -q --disable-pip-version-check $constraints -r requirements-bench.txt
if [ -d /usr/share/proj ]; then export PROJ_DATA=/usr/share/proj; fi  # in a venv pyproj looks for it under the venv
exec .venv/bin/python -m bench "$@"
