"""Biodiversity as users call it: stage, upload, batch, fetch by id."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qgis.core import QgsProcessingException

from tests.core.raster_files import write_datasets, write_tif


@pytest.fixture
def datasets(tmp_path):
    write_tif(tmp_path / "chm.tif", np.random.default_rng(2).uniform(0, 30, (300, 300)).astype(np.float32), -5.01, 6.02, 0.0001, tile=64)
    return write_datasets(tmp_path, {"role": "chm", "sources": {"2022": "chm.tif"}, "unit": "m"})


@pytest.fixture
def uploaded(run, tmp_path):
    square = [[-5.0, 6.0], [-4.999, 6.0], [-4.999, 6.001], [-5.0, 6.001], [-5.0, 6.0]]
    feature = {"type": "Feature", "properties": {"plotId": "A1"}, "geometry": {"type": "Polygon", "coordinates": [square]}}
    plots = tmp_path / "plots.geojson"
    plots.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    run("stageplots", INPUT_FILE=str(plots), COLLECTION_NAME="Bouaflé", CROP_TYPE="cocoa", PLOT_ID_FIELD="plotId")
    run("uploadplots", COLLECTION="Bouaflé", VALIDATE_LOCATIONS=False)


def test_batch_and_fetch(run, uploaded, datasets, tmp_path):
    job = run("batchbiodiversity", COLLECTION="Bouaflé", DATASETS=datasets, END_DATE="2023-12-31", RAO_WINDOW=5)
    assert job["STATUS"] == "completed" and job["PROCESSED_COUNT"] == 1 and job["FAILED_COUNT"] == 0
    other = run("batchbiodiversity", COLLECTION="Bouaflé", DATASETS=datasets, END_DATE="2023-12-31")
    assert other["JOB_ID"] != job["JOB_ID"]  # another window of Rao's Q is another job
    found = run("fetchbiodiversity", COLLECTION="Bouaflé", JOB_ID=job["JOB_ID"], OUTPUT="TEMPORARY_OUTPUT", NDJSON=str(tmp_path / "out.ndjson"))
    assert (found["COUNT"], found["MATCHED_COUNT"]) == (1, 1)
    (line,) = (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()
    properties = json.loads(line)["properties"]
    assert 0 < properties["diversity_score"] < 1 and set(properties["annual_chm"]) == {"mean", "std", "2022"}
    (feature,) = found["OUTPUT"].getFeatures()
    assert feature["diversity_score"] == properties["diversity_score"]
    with pytest.raises(QgsProcessingException, match="odd"):
        run("batchbiodiversity", COLLECTION="Bouaflé", DATASETS=datasets, END_DATE="2023-12-31", RAO_WINDOW=4)
