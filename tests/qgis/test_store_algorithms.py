"""The algorithms that read and change the store itself: collections and jobs."""

from __future__ import annotations

import json
import os

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingException, QgsVectorLayer

from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.store import Store


@pytest.fixture
def filled(store):
    """A store with two collections, one of them with a running job."""
    opened = Store(store)
    with opened.writing() as conn:
        for name in ("Vavoua", "Riau"):
            override = {"was_overridden": True}
            row = collections.CollectionRow(f"0x{name}", name, "2025-11-18T13:38:23Z", status="uploaded", country_override_info=override)
            collections.add(conn, row, [])
        jobs.create(conn, jobs.JobRow("job1", "0xVavoua", ["eudr_deforestation"], "2020-12-31", "2025-12-31", "key"))
        jobs.claim(conn, "job1", "somebody")
    return opened


def test_getcollections_lists_collections_with_their_jobs(run, filled, tmp_path):
    result = run("getcollections", OUTPUT=str(tmp_path / "collections.gpkg"))
    response = json.loads(result["RESPONSE"])
    assert list(response) == ["Vavoua", "Riau"]
    assert response["Vavoua"]["collection_id"] == "0xVavoua"
    assert response["Vavoua"]["batch_jobs"][0]["status"] == "in_progress"
    table = QgsVectorLayer(result["OUTPUT"], "t", "ogr")
    rows = {feature["collection_name"]: feature for feature in table.getFeatures()}
    assert set(rows) == {"Vavoua", "Riau"} and not table.isSpatial()
    assert json.loads(rows["Riau"]["country_override_info"]) == {"was_overridden": True}
    assert rows["Riau"]["ingestion_time"].toString("yyyy-MM-dd") == "2025-11-18"


def test_editcollection_changes_words_and_keeps_the_id(run, filled):
    result = run("editcollection", COLLECTION="vavoua", COLLECTION_NAME="Main crop", CROP_TYPE="cocoa")
    assert result == {"COLLECTION_ID": "0xVavoua", "UPDATED_COUNT": 1}
    with filled.reading() as conn:
        row = collections.find(conn, "main crop")
    assert (row.collection_id, row.crop_type, row.status) == ("0xVavoua", "cocoa", "uploaded")


def test_batchprogress_and_canceljob_follow_a_job_of_another_process(run, filled):
    result = run("batchprogress", TRACKING_ID="Vavoua")
    assert (result["STATUS"], result["PROGRESS"], result["FAILED_COUNT"]) == ("in_progress", 0.0, 0)
    assert json.loads(result["RESPONSE"])["job_id"] == "job1"
    assert run("canceljob", JOB_ID="job1") == {"STATUS": "cancelled"}
    assert run("batchprogress", TRACKING_ID="job1")["STATUS"] == "cancelled"


def test_deletecollection_keeps_a_backup(run, filled):
    result = run("deletecollection", COLLECTION="Riau")
    with filled.reading() as conn:
        assert [row.collection_name for row in collections.all_rows(conn)] == ["Vavoua"]
    with Store(result["BACKUP"]).reading() as conn:
        assert len(collections.all_rows(conn)) == 2
    assert result["DELETED_COUNT"] == 0


def test_a_running_job_protects_its_collection(run, filled):
    with pytest.raises(QgsProcessingException, match="canceljob"):
        run("deletecollection", COLLECTION="Vavoua")


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("uploadplots", {"COLLECTION": "nobody"}, "There is no collection 'nobody'"),
        ("editcollection", {"COLLECTION": "Riau"}, "Nothing to change"),
        ("editcollection", {"COLLECTION": "Riau", "SYSTEM_TYPE": "farm"}, "smallholder or estate"),
        ("stageplots", {"COLLECTION_NAME": "x"}, "not neither"),
        ("stageplots", {"COLLECTION_NAME": "x", "INPUT_FILE": "/nowhere/plots.csv"}, "there is no file"),
        ("batchdeforestationcheck", {"COLLECTION": "Riau", "DATASETS": "/nowhere/d.json"}, "there is no file"),
        ("batchdeforestationcheck", {"COLLECTION": "Riau", "DATASETS": __file__, "START_DATE": "31/12/2020"}, "YYYY-MM-DD"),
        ("batchdeforestationcheck", {"COLLECTION": "Riau", "DATASETS": __file__, "END_DATE": "2020-01-01"}, "later than START_DATE"),
        ("batchdeforestationcheck", {"COLLECTION": "nobody", "DATASETS": __file__}, "There is no collection"),
        ("fetchdeforestationcheck", {"MONITORING_END": "2024-12-31"}, "COLLECTION, or FILTERS"),
        ("fetchdeforestationcheck", {"COLLECTION": "Riau", "MONITORING_END": "2024-13-31"}, "MONITORING_END is '2024-13-31'"),
        ("fetchplots", {"COLLECTION": "Riau", "STATS": "forest"}, "unknown statistic 'forest'"),
        ("checkdatasets", {"DATASETS": __file__, "COLLECTION": "nobody"}, "There is no collection"),
    ],
)
def test_what_cannot_work_is_refused_with_what_would_be_right(plugin, filled, name, parameters, words):
    from qgis.core import QgsApplication

    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"epoch:{name}")
    ok, text = algorithm.checkParameterValues({"STORE": filled.path, **parameters}, QgsProcessingContext())
    assert not ok and words in text


@pytest.mark.parametrize("name", ["getcollections", "uploadplots", "fetchdeforestationcheck"])
def test_a_store_that_is_not_there_is_not_created(run, store, name):
    with pytest.raises(QgsProcessingException, match="no store"):
        run(name, **({} if name == "getcollections" else {"COLLECTION": "x"}))
    assert not os.path.exists(store)
