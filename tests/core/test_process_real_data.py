"""Stage, upload and process in one, on real plots and rasters: results for what has data, a named reason for what has not."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from epoch_plugin.core.batch import BatchRequest
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.process import ProcessRequest, process_plots
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest
from epoch_plugin.core.store.store import Store

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="real data (shared/data) are not here")
FOUR = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")


def process(tmp_path, plots, entries, start, end):
    """Run all four statistics over a plot file; return {statistic: its only row}."""
    datasets = tmp_path / "datasets.json"
    datasets.write_text(json.dumps({"datasets": entries}), encoding="utf-8")
    store = Store(tmp_path / "store.gpkg")
    batch = BatchRequest("", end, str(datasets), FOUR, start)
    result = process_plots(store, open_source(str(plots)), ProcessRequest(StageRequest("real"), batch, validate_locations=False), NoProgress())
    assert result.status == "completed"
    with store.reading() as connection:
        return {name: dict(connection.execute(f"SELECT * FROM stat_{name}").fetchone()) for name in FOUR}


def codes(row):
    return {reason["code"] for reason in json.loads(row["reasons"])}


def test_sierra_de_neiba_2015_to_2019(tmp_path):
    neiba = DATA / "sierra_de_neiba"
    loss, cover = (str(neiba / f"Hansen_GFC-2023-v1.11_{layer}_20N_080W.tif") for layer in ("lossyear", "treecover2000"))
    months = [str(neiba / f"wc2.1_cruts4.09_2.5m_prec_2018-{month:02d}.tif") for month in range(1, 13)]
    covers = {str(year): str(neiba / f"W080N20_LC100_v3.0.1_{year}.tif") for year in range(2015, 2020)}
    rows = process(
        tmp_path, neiba / "gfw_sample.gpkg",
        [
            {"role": "forest_2020", "title": "tree cover of 2000", "source": cover, "year": 2000, "encoding": {"kind": "mask", "min": 10}},
            {"role": "glad", "profile": "hansen_gfc", "source": loss},
            {"role": "lc", "profile": "lc100_v3", "sources": covers},
            {"role": "precipitation", "sources": {"2018": months}, "combine": "sum", "unit": "mm"},
        ],
        dt.date(2015, 12, 31), dt.date(2019, 12, 31),
    )  # fmt: skip
    loss_row = rows["eudr_deforestation"]
    assert loss_row["detected_area"] > 1 and loss_row["deforestation_confidence"] == "low"
    assert sum(ha for key, ha in json.loads(loss_row["annual_defor"]).items() if "rmse" not in key) == pytest.approx(loss_row["detected_area"])
    assert "single_system" in codes(loss_row)
    cover_row = rows["luc_emissions"]
    assert cover_row["luc_tco2eyear"] is None and "missing_layer:agb" in codes(cover_row)
    assert set(json.loads(cover_row["annual_lc"])) >= {str(year) for year in range(2015, 2020)}
    assert rows["biodiversity"]["diversity_score"] is None and "missing_layer:chm" in codes(rows["biodiversity"])
    water = rows["water"]
    assert all(water[name] is None for name in ("precipitation_pet_ratio", "aridity_class", "water_stress_index", "soil_moisture_percentile"))
    assert codes(water) == {f"missing_layer:{role}" for role in ("pet", "et", "soil_moisture", "water_stress")}
    assert json.loads(water["coverage"])["precipitation"] == pytest.approx(1, abs=1e-6)


def test_shell_beach_2010_to_2018(tmp_path):
    beach = DATA / "shell_beach"
    carbon = {kind: {str(year): str(beach / f"Manageable_C_{kind}_{year}.tif") for year in (2010, 2018)} for kind in ("Biomass", "Soil")}
    rows = process(
        tmp_path, beach / "shell_beach_41057_B.gpkg",
        [{"role": "agb", "sources": carbon["Biomass"], "unit": "MgC/ha"}, {"role": "soc", "sources": carbon["Soil"], "unit": "MgC/ha"}],
        dt.date(2010, 12, 31), dt.date(2018, 12, 31),
    )  # fmt: skip
    stocks = rows["luc_emissions"]
    assert json.loads(stocks["stock_years"]) == [2010, 2018] and stocks["soc_tco2eyear"] is not None
    assert {"2010", "2018", "mean", "std"} <= set(json.loads(stocks["annual_agb"])) and json.loads(stocks["annual_agb"])["2018"] > 0
    assert stocks["luc_tco2eyear"] is None and "no_land_use" in codes(stocks)
    assert rows["eudr_deforestation"]["deforestation_alert"] is None
    assert {"missing_layer:forest_2020", "missing_layer:detection"} <= codes(rows["eudr_deforestation"])
    assert json.loads(stocks["annual_soc"])["2010"] > 0 and stocks["soc_tco2ehayear"] is not None and 0 < stocks["valid_fraction"] < 1
    assert rows["biodiversity"]["diversity_score"] is None and codes(rows["biodiversity"]) == {"missing_layer:chm"}
    assert rows["water"]["water_stress_index"] is None
    assert codes(rows["water"]) == {f"missing_layer:{role}" for role in ("precipitation", "pet", "et", "soil_moisture", "water_stress")}
