"""Stage, upload and batch in one, with the API's country override (METHODS section 8) on QGIS's own borders."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from epoch_plugin.core.batch import BatchRequest
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.process import ProcessRequest, process_plots
from epoch_plugin.core.staging import StageRequest
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.store import Store
from tests.core.deforestation_scene import LOSS_YEAR, YES_NO
from tests.core.raster_files import write_datasets, write_tif
from tests.core.region_scene import region_rows
from tests.core.sample_batch import Listener

WORLD_MAP = Path("/usr/share/qgis/resources/data/world_map.gpkg")
GHANA, NIGERIA = (-1.6, 6.7), (7.5, 7.5)  # both more than 100 km inside
NEAR_NIGERIAS_BORDER = (2.77, 7.5)  # Nigeria's side of its border with Benin, less than 5 km from it on the map
pytestmark = pytest.mark.skipif(not WORLD_MAP.exists(), reason="QGIS's world_map.gpkg is not installed")


def plots_file(folder, *groups):
    """Write plots: groups of (corner, number)."""
    features = []
    for (west, south), number in groups:
        for k in range(number):
            x, y = west + 0.002 * (k % 10), south + 0.002 * (k // 10)
            # sides differ from plot to plot: equal plots would look made up
            side = 0.001 + 0.000011 * len(features) / 10
            ring = [[x, y], [x + side, y + 0.000013], [x + side, y + side], [x, y + side], [x, y]]
            geometry = {"type": "Polygon", "coordinates": [ring]}
            features.append({"type": "Feature", "properties": {"plotid": f"P{len(features) + 1}"}, "geometry": geometry})
    path = folder / "plots.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


@pytest.fixture
def datasets(tmp_path):
    import numpy as np

    write_tif(tmp_path / "forest.tif", np.ones((40, 60), "uint8"), -2.0, 9.0, 0.2)
    write_tif(tmp_path / "glad.tif", np.zeros((40, 60), "uint8"), -2.0, 9.0, 0.2)
    return write_datasets(
        tmp_path, {"role": "forest_2020", "source": "forest.tif", "encoding": YES_NO},
        {"role": "glad", "source": "glad.tif", "encoding": {**LOSS_YEAR, "none": 0}, "years": [2001, 2025]},
    )  # fmt: skip


def process(tmp_path, datasets, *groups, country="Ghana", listener=None, **request):
    store = Store(tmp_path / "store.gpkg")
    batch = {name: request.pop(name) for name in ("skip_on_low_confidence", "non_biomass", "stats") if name in request}
    wanted = ProcessRequest(
        StageRequest("Cocoa", crop_type="cocoa", country=country),
        BatchRequest("", dt.date(2023, 12, 31), datasets, borders=str(WORLD_MAP), **batch), **request,
    )  # fmt: skip
    return store, process_plots(store, open_source(plots_file(tmp_path, *groups)), wanted, listener or Listener())


def test_ghana_declared_but_three_quarters_in_nigeria(tmp_path, datasets):
    listener = Listener()
    store, result = process(tmp_path, datasets, (NIGERIA, 75), (GHANA, 25), listener=listener)
    message = "Country automatically overridden from 'Ghana' to 'Nigeria' based on file locations (75/100 locations in Nigeria)"
    assert result.country_override_info == {
        "was_overridden": True, "original_country": "Ghana", "detected_country": "Nigeria", "message": message,
    }  # fmt: skip
    assert message in listener.warnings and result.status == "completed"
    rows = region_rows(store)
    assert rows["supply_shed", "Cocoa"]["country"] == "Nigeria"
    assert rows["supply_shed", "Cocoa"]["locations_confidence"] == result.locations_confidence
    admin = {row["country"]: row for (kind, _), row in rows.items() if kind == "admin_area"}
    assert {name: row["aggregate_plot_count"] for name, row in admin.items()} == {"Nigeria": 75, "Ghana": 25}
    assert all(row["admin1"] for row in admin.values())


def test_forty_of_a_hundred_do_not_override_but_are_reported(tmp_path, datasets):
    listener = Listener()
    store, result = process(tmp_path, datasets, (NIGERIA, 40), (GHANA, 60), listener=listener)
    assert result.country_override_info is None
    with store.reading() as connection:
        row = collections.find(connection, result.collection_id)
    assert row.country == "Ghana" and row.detected_country == "Ghana"
    report = row.validation_report or {}
    assert report["checks"]["country"]["failed"] == 40 and report["plots"] == 100
    assert "40 of 100 plots lie outside the declared country 'Ghana', which stays; the report names them." in listener.warnings
    assert region_rows(store)["supply_shed", "Cocoa"]["country"] == "Ghana"


def test_plots_near_a_border_count_among_all_but_for_no_country(tmp_path, datasets):
    # 45 well inside Nigeria and 30 near its border: 45 of 100 is no half, so Ghana stays
    _, result = process(tmp_path, datasets, (NIGERIA, 45), (NEAR_NIGERIAS_BORDER, 30), (GHANA, 25))
    assert result.country_override_info is None
    (tmp_path / "more").mkdir()
    _, result = process(tmp_path / "more", datasets, (NIGERIA, 50), (NEAR_NIGERIAS_BORDER, 25), (GHANA, 25))
    assert result.country_override_info["message"].endswith("(50/100 locations in Nigeria)")


def test_nothing_is_validated_where_it_is_not_asked_for(tmp_path, datasets):
    _, result = process(tmp_path, datasets, (NIGERIA, 10), validate_locations=False)
    assert result.country_override_info is None and result.locations_confidence == "" and result.status == "completed"


def test_low_confidence_is_skipped_with_a_row(tmp_path, datasets):
    # declared Ghana, all plots in the Gulf of Guinea, one above the other: hardly anything speaks for them
    store, result = process(tmp_path, datasets, *[((0.0, 0.0), 1)] * 20, skip_on_low_confidence=True)
    assert (result.status, result.locations_confidence) == ("cancelled", "not processed: validation confidence too low")
    row = region_rows(store)["supply_shed", "Cocoa"]
    assert row["locations_confidence"] == result.locations_confidence and row["area_ha_forest"] is None


def test_farm_data_as_text_or_file_and_errors_before_anything_is_staged(tmp_path, datasets):
    payload = {"cft_payload": {"fertilisers": [{"type": "urea", "application_rate": {"value": 100, "unit": "kg/ha"}}]}}
    store, result = process(tmp_path, datasets, (GHANA, 3), input_payload=json.dumps(payload), non_biomass=True)
    with store.reading() as connection:
        assert collections.find(connection, result.collection_id).input_payload == payload
        assert connection.execute("SELECT count(DISTINCT uuid) FROM stat_non_biomass WHERE job_id = ?", (result.job_id,)).fetchone()[0] == 3
    (tmp_path / "farm.json").write_text(json.dumps(payload), encoding="utf-8")
    _, again = process(tmp_path, datasets, (GHANA, 3), input_payload=str(tmp_path / "farm.json"), non_biomass=True)
    assert again.job_id == result.job_id  # the same data: the same job
    (tmp_path / "other").mkdir()
    for changes, text in (
        ({"input_payload": '{"cft_payload": {"fertilisers": [{"type": 3}]}}'}, r"cft_payload\.fertilisers\[0\]"),
        ({"non_biomass": True}, "NON_BIOMASS needs INPUT_PAYLOAD"),
        ({"stats": ("weather",)}, "STATS: unknown statistic weather"),
    ):
        with pytest.raises(InputError, match=text):
            process(tmp_path / "other", datasets, (GHANA, 3), **changes)
    with Store(tmp_path / "other" / "store.gpkg").reading() as connection:
        assert connection.execute("SELECT count(*) FROM collections").fetchone()[0] == 0


def test_the_same_again_is_the_same_collection_and_job(tmp_path, datasets):
    _, first = process(tmp_path, datasets, (GHANA, 5))
    _, second = process(tmp_path, datasets, (GHANA, 5))
    assert (second.collection_id, second.job_id) == (first.collection_id, first.job_id)
