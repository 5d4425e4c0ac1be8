"""Regions, references and batchprocess as users call them, with a layer of the project as REGIONS."""

from __future__ import annotations

import json

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProcessingException, QgsVectorLayer

from epoch_plugin.bridge.settings import resource

END = "2025-12-31"


def live_regions():
    """A memory layer: the whole sample, and a place without plots."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=zone:string", "zones", "memory")
    for name, wkt in (("all", "POLYGON((-7 7, -6 7, -6 8, -7 8, -7 7))"), ("none", "POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))")):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([name])
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        layer.dataProvider().addFeatures([feature])
    return layer


@pytest.fixture(scope="module")
def processed(plugin, tmp_path_factory):
    import processing

    store = str(tmp_path_factory.mktemp("regions") / "store.gpkg")
    result = processing.run("epoch:batchprocess", {
        "STORE": store, "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": "vavoua", "CROP_TYPE": "cocoa", "COUNTRY": "CI",
        "DATASETS": resource("sample", "datasets.json"), "STATS": "eudr_deforestation", "END_DATE": END, "REGIONS": live_regions(),
        "REGION_NAME_FIELD": "zone", "NON_BIOMASS": True,
        "INPUT_PAYLOAD": '{"cft_payload": {"fertilisers": [{"type": "urea", "application_rate": {"value": 50, "unit": "kg/ha"}}]}}',
    })  # fmt: skip
    return store, result


def call(name, processed, **parameters):
    import processing

    return processing.run(f"epoch:{name}", {"STORE": processed[0], "COLLECTION": "vavoua", **parameters})


def test_everything_in_one_step(processed):
    _, result = processed
    assert result["STATUS"] == "completed" and result["COLLECTION_ID"].startswith("0x") and result["JOB_ID"]
    assert result["LOCATIONS_CONFIDENCE"] in ("high", "medium", "low") and result["COUNTRY_OVERRIDE_INFO"] == ""


def test_regions_of_all_kinds_as_layer_and_ndjson(processed, tmp_path):
    path = str(tmp_path / "regions.ndjson")
    result = call("fetchsupplyshed", processed, STAT_TYPE="all", OVERLAP_THRESHOLD=0.5, STATS="eudr_deforestation,cft", OUTPUT="memory:", NDJSON=path)
    rows = {(feature["stat_type"], feature["region_name"]): feature for feature in result["OUTPUT"].getFeatures()}
    assert ("supply_shed", "vavoua") in rows and ("region", "all") in rows and ("region", "none") not in rows
    admin = [row for (kind, _), row in rows.items() if kind == "admin_area"]
    assert admin and {row["country"] for row in admin} == {"Côte d'Ivoire"}
    assert rows["region", "all"]["noncompliance_area_ha"] == pytest.approx(rows["supply_shed", "vavoua"]["noncompliance_area_ha"])
    assert rows["supply_shed", "vavoua"]["non_biomass_tco2eyear"] > 0
    assert rows["region", "all"].geometry().area() == pytest.approx(1.0)
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert result["COUNT"] == result["MATCHED_COUNT"] == len(lines) == len(rows)


def test_plots_beside_the_reference_of_their_region(processed):
    result = call("fetchplots", processed, STATS="eudr_deforestation", LIMIT=0, OUTPUT="memory:")
    names = result["OUTPUT"].fields().names()
    assert {f"noncompliance_area_perc_ref{end}" for end in ("", "_n", "_se", "_year")} <= set(names)
    region = call("fetchplots", processed, STATS="eudr_deforestation,cft", STAT_TYPE="region", LIMIT=0, OUTPUT="memory:")["OUTPUT"]
    assert {feature["noncompliance_area_perc_ref_year"] for feature in region.getFeatures()} == {2020}


@pytest.mark.parametrize(
    ("name", "parameters", "text"),
    [
        ("fetchplots", {"STAT_TYPE": "county"}, "STAT_TYPE is 'county'"),
        ("fetchsupplyshed", {"STATS": "weather"}, "unknown statistic 'weather'"),
        ("fetchsupplyshed", {"STAT_TYPE": "watershed"}, "No region of kind 'watershed'"),
        ("batchdeforestationcheck", {"DATASETS": lambda: resource("sample", "datasets.json"), "END_DATE": END, "REGIONS": live_regions,
                                     "REGION_NAME_FIELD": "x"}, "has no field 'x'; it has .*zone"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(processed, name, parameters, text):
    parameters = {key: value() if callable(value) else value for key, value in parameters.items()}
    with pytest.raises(QgsProcessingException, match=text):
        call(name, processed, **parameters)
