"""The plugin as a script calls it: qgis_process in a fresh profile. Exit codes, JSON, and what a zip that was installed does."""

from __future__ import annotations

import json
import zipfile

import pytest

from epoch_plugin.bridge.settings import resource

SAMPLE = {name: resource("sample", name) for name in ("plots.geojson", "datasets.json")}


def results(process):
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)["results"]


def test_help_is_readable_in_a_terminal(qgis_process):
    answer = qgis_process("help", "epoch:stageplots")
    assert answer.returncode == 0
    assert "qgis_process run epoch:stageplots" in answer.stdout and "<p>" not in answer.stdout


def test_the_chain_runs_step_by_step(qgis_process, tmp_path):
    store = f"STORE={tmp_path / 'store.gpkg'}"

    def step(name, *parameters):
        return results(qgis_process("--json", "run", f"epoch:{name}", "--", store, *parameters, cwd=tmp_path))

    staged = step("stageplots", f"INPUT_FILE={SAMPLE['plots.geojson']}", "COLLECTION_NAME=headless", "CROP_TYPE=cocoa", "INVALID=bad.csv")
    step("uploadplots", "COLLECTION=headless")
    job = step("batchdeforestationcheck", "COLLECTION=headless", f"DATASETS={SAMPLE['datasets.json']}", "END_DATE=2025-12-31")
    assert (job["STATUS"], job["PROCESSED_COUNT"]) == ("completed", staged["PLOT_COUNT"])
    fetched = step("fetchdeforestationcheck", "COLLECTION=headless", "LIMIT=0", "OUTPUT=result.gpkg", "NDJSON=result.ndjson")
    assert fetched["COUNT"] == staged["PLOT_COUNT"]
    with open(tmp_path / "result.ndjson", encoding="utf-8") as file:
        assert sum(1 for _ in file) == staged["PLOT_COUNT"]
    assert (tmp_path / "result.gpkg").stat().st_size > 0
    assert list(json.loads(step("getcollections")["RESPONSE"])) == ["headless"]


@pytest.mark.parametrize("model", ["epoch:deforestation_check", resource("models", "deforestation_check.model3")])
def test_the_model_runs_by_id_and_as_a_file(qgis_process, tmp_path, model):
    process = qgis_process(
        "--json", "run", model, "--", f"STORE={tmp_path / 'store.gpkg'}", f"INPUT_FILE={SAMPLE['plots.geojson']}", "COLLECTION_NAME=model",
        f"DATASETS={SAMPLE['datasets.json']}", "END_DATE=2025-12-31", "fetchdeforestationcheck:OUTPUT=result.gpkg",
        "fetchdeforestationcheck:NDJSON=result.ndjson", cwd=tmp_path,
    )  # fmt: skip
    results(process)
    with open(tmp_path / "result.ndjson", encoding="utf-8") as file:
        assert {json.loads(line)["properties"]["deforestation_alert"] for line in file} == {"critical", "non-critical", "no deforestation", None}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stageplots", "COLLECTION_NAME=x"), "INPUT_FILE"),
        (("stageplots", "COLLECTION_NAME=x", f"INPUT_FILE={resource('icons', 'epoch.svg')}"), "epoch.svg"),
        (("uploadplots", "COLLECTION=nobody"), "no store"),
        (("batchdeforestationcheck", "COLLECTION=x", f"DATASETS={SAMPLE['datasets.json']}", "END_DATE=31.12.2025"), "YYYY-MM-DD"),
        (("fetchdeforestationcheck", "COLLECTION=nobody"), "no store"),
    ],
)
def test_failure_is_exit_code_1_with_a_reason_and_no_store(qgis_process, tmp_path, arguments, words):
    name, *parameters = arguments
    process = qgis_process("run", f"epoch:{name}", "--", f"STORE={tmp_path / 'store.gpkg'}", *parameters)
    assert process.returncode == 1
    assert words in process.stderr + process.stdout
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "store.gpkg").exists()


def test_the_zip_loads_in_a_fresh_profile(root, tmp_path_factory):
    """Build, install and run the package as a user would, without the checkout."""
    import os
    import shutil
    import subprocess
    import sys

    subprocess.run([sys.executable, str(root / "scripts" / "package.py")], check=True, capture_output=True)
    home = tmp_path_factory.mktemp("fresh")
    (home / "run").mkdir(mode=0o700)
    plugins = home / "plugins"
    with zipfile.ZipFile(root / "dist" / "epoch_plugin.zip") as package:
        package.extractall(plugins)
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("qgis_process is not installed")
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "QGIS_PLUGINPATH": str(plugins), "QT_QPA_PLATFORM": "offscreen",
                   "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    sample = plugins / "epoch_plugin" / "epoch_plugin" / "resources" / "sample" / "plots.geojson"
    subprocess.run([program, "plugins", "enable", "epoch_plugin"], env=environment, check=True, capture_output=True)
    arguments = ["--json", "run", "epoch:stageplots", "--", f"INPUT_FILE={sample}", "COLLECTION_NAME=installed"]
    process = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    assert results(process)["PLOT_COUNT"] > 0
    stores = list(home.rglob("epoch/collections.gpkg"))
    assert len(stores) == 1 and os.path.getsize(stores[0]) > 0, "the store's default place is the profile"
