#!/bin/sh
# Everything that must be true of a commit; stops at the first thing that is not. Under 15 minutes on two cores.
cd "$(dirname "$0")/.."
. scripts/env.sh
bin="$root/.venv/bin"
say() { printf '\n== %s\n' "$*"; }

say "style (ruff)"
"$bin/ruff" check .

say "types (mypy --strict on the core)"
"$bin/mypy"

say "security (bandit on what is shipped)"
# It also warns of every mark `nosec` in a text with braces, as if nothing were there (bandit issue 1204): shown only where it finds something.
"$bin/bandit" -q -r __init__.py epoch_plugin processing_algorithms ui 2>"$work/bandit" || { cat "$work/bandit"; exit 1; }

say "core tests, in a run where QGIS cannot be imported"
"$python" -m pytest -q -p no:pytest_qgis -p no:pytest-qt -p tests.no_qgis --durations=8 tests/core

say "package"
"$python" scripts/package.py

say "layout, QGIS and qgis_process tests (offscreen)"
"$python" -m pytest -q --durations=8 tests/layout tests/qgis
