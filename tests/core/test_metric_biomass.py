"""Biomass and emissions by hand: which cells count as what, signs, units, per-ha values, yearly series, reasons (METHODS section 4)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.zonal.cell_area import area_below
from tests.core.raster_files import write_tif
from tests.core.statistic_scene import codes, run_statistics

D = 0.001  # degrees; 3 x 3 cells over 0..0.003
FINER = 0.0010000001  # for a raster from the origin, not from 0.003 down
NODATA = -9999
TO_CO2 = 0.47 * 44 / 12  # tCO2e per t dry matter
WITH_ROOTS = TO_CO2 * 1.24
PLOT = box(0, 0, 0.003, 0.003)
LC = {"kind": "classes", "class_map": {"1": "natural", "2": "managed", "3": "other"}}

AGB_2020 = [[200, 200, 100], [80, 80, 50], [60, NODATA, 10]]
AGB_2023 = [[20, 230, 100], [50, 95, 5], [60, 70, NODATA]]
LC_2020 = [[1, 1, 1], [2, 2, 1], [1, 1, 0]]
LC_2023 = [[2, 1, 1], [2, 2, 3], [1, 2, 2]]


def cell_ha(row: int) -> float:
    north, south = 0.003 - row * D, 0.003 - (row + 1) * D
    return float(area_below(np.array([north]))[0] - area_below(np.array([south]))[0]) * math.radians(D) / 1e4


HA = [cell_ha(row) for row in range(3)]


def tif(folder, name, values, dtype="float32", d=D, nodata=NODATA):
    values = np.asarray(values, dtype)
    return write_tif(folder / f"{name}.tif", values, 0, 0.003 if d == D else values.shape[0] * d, d, nodata=nodata)


@pytest.fixture
def entries(tmp_path):
    tif(tmp_path, "agb20", AGB_2020), tif(tmp_path, "agb23", AGB_2023)
    tif(tmp_path, "lc20", LC_2020, "uint8", nodata=0), tif(tmp_path, "lc23", LC_2023, "uint8", nodata=0)
    return [
        {"role": "agb", "sources": {"2020": "agb20.tif", "2023": "agb23.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "lc20.tif", "2023": "lc23.tif"}, "encoding": LC, "nodata": 0},
    ]


def emissions(folder, entries, polygons=(PLOT,), **settings):
    return run_statistics(["luc_emissions"], folder, entries, polygons, **settings)["luc_emissions"]


def test_shares_of_the_change_by_hand(tmp_path, entries):
    row = emissions(tmp_path, entries)[0]
    # Biomass known at both ends in 7 cells; changes 2020 -> 2023 (Mg/ha):
    #   row 0: -180 (natural -> managed: luc), +30, 0     row 1: -30 (managed all along), +15, -45 (natural -> other: luc)    row 2: 0
    luc = (-180 * HA[0] - 45 * HA[1]) * WITH_ROOTS / 3
    biogenic = ((30 + 0) * HA[0] + (-30 + 15) * HA[1] + 0 * HA[2]) * WITH_ROOTS / 3
    removal = (30 * HA[0] + 15 * HA[1]) * WITH_ROOTS / 3
    assessed = 3 * HA[0] + 3 * HA[1] + HA[2]
    for name, total in (("luc", luc), ("biogenic", biogenic), ("removal", removal)):
        assert row[f"{name}_tco2eyear"] == pytest.approx(total, rel=1e-9)
        assert row[f"{name}_tco2ehayear"] == pytest.approx(total / assessed, rel=1e-9)
        assert row[f"{name}_uncertainty_sd"] is None  # no standard deviations bound
    assert luc < 0 < removal  # loss is negative, gain positive
    assert row["stock_years"] == [2020, 2023] and row["assessed_end"].isoformat() == "2023-12-31"
    assert row["valid_fraction"] == pytest.approx(assessed / sum(3 * ha for ha in HA), rel=1e-9)
    assert row["coverage"] == {"agb": row["valid_fraction"], "lc": pytest.approx(8 / 9, rel=1e-6)}
    assert (row["soc_tco2eyear"], row["annual_soc"]) == (None, None)
    # the cell without biomass was converted too, but nothing is known of its stock: it is in no total
    assert codes(row) == ["missing_layer:agb_sd", "missing_layer:soc"]


def test_yearly_stocks_and_majority_class(tmp_path, entries):
    row = emissions(tmp_path, entries)[0]
    # rows are equally large to 1e-9, so plain means of the known cells do
    agb_2020, agb_2023 = np.array([200, 200, 100, 80, 80, 50, 60, 10]), np.array([20, 230, 100, 50, 95, 5, 60, 70])
    assert row["annual_agb"]["2020"] == pytest.approx(agb_2020.mean() * TO_CO2, rel=1e-6)
    assert row["annual_agb"]["2023"] == pytest.approx(agb_2023.mean() * TO_CO2, rel=1e-6)
    assert row["annual_agb"]["mean"] == pytest.approx((agb_2020.mean() + agb_2023.mean()) / 2 * TO_CO2, rel=1e-6)
    # cell-wise mean of the layers that have data: 110, 215, 100, 65, 87.5, 27.5, 60, 70 (only 2023), 10 (only 2020)
    cells = np.array([110, 215, 100, 65, 87.5, 27.5, 60, 70, 10])
    assert row["annual_agb"]["std"] == pytest.approx(cells.std() * TO_CO2, rel=1e-6)
    assert row["annual_bgb"] == {key: pytest.approx(value * 0.24, rel=1e-9) for key, value in row["annual_agb"].items()}
    # 2020: class 1 six cells, class 2 two; 2023: class 2 in five, class 1 in three
    assert row["annual_lc"] == {"2020": 1, "2023": 2}


def test_series_show_every_bound_year_and_the_window_only_decides_what_is_compared(tmp_path, entries):
    later = [
        {**entries[0], "sources": {"2015": "agb23.tif", **entries[0]["sources"], "2025": "agb20.tif"}},
        {**entries[1], "sources": {**entries[1]["sources"], "2025": "lc20.tif"}},
    ]
    found, plain = emissions(tmp_path, later)[0], emissions(tmp_path, entries)[0]
    assert list(found["annual_agb"]) == ["mean", "std", "2015", "2020", "2023", "2025"]
    assert found["annual_lc"] == {"2020": 1, "2023": 2, "2025": 1}
    changes = [name for name in found if name.endswith(("year", "uncertainty_sd")) and "amortised" not in name]
    assert len(changes) >= 11 and {name: found[name] for name in changes} == {name: plain[name] for name in changes}
    assert found["reasons"] == plain["reasons"] and found["assessed_end"] == plain["assessed_end"]


def test_conversion_factors_of_the_methods_page(tmp_path):
    # METHODS: 260 x 1.24 x 0.47 x 44/12 = 555.60. One cell of 260 Mg/ha in 2020, gone in 2021: the whole stock in one year.
    tif(tmp_path, "a", [[260]]), tif(tmp_path, "b", [[0]])
    tif(tmp_path, "n", [[1]], "uint8", nodata=0), tif(tmp_path, "m", [[2]], "uint8", nodata=0)
    agb = {"role": "agb", "sources": {"2020": "a.tif", "2021": "b.tif"}, "unit": "Mg/ha"}
    lc = {"role": "lc", "sources": {"2020": "n.tif", "2021": "m.tif"}, "encoding": LC, "nodata": 0}
    row = emissions(tmp_path, [agb, lc], [box(0, 0.002, 0.001, 0.003)], end="2021-12-31")[0]
    assert row["luc_tco2ehayear"] == pytest.approx(-555.60, abs=0.005)
    assert 260 * 1.24 * 0.47 * 44 / 12 == pytest.approx(555.60, abs=0.005)


@pytest.mark.parametrize(("unit", "factor"), [("Mg/ha", 0.47 * 44 / 12), ("MgC/ha", 44 / 12), ("MgCO2/ha", 1.0)])
def test_units(tmp_path, entries, unit, factor):
    row = emissions(tmp_path, [{**entries[0], "unit": unit}, entries[1]])[0]
    assert row["annual_agb"]["2020"] == pytest.approx(780 / 8 * factor, rel=1e-6)
    assert row["luc_tco2eyear"] == pytest.approx((-180 * HA[0] - 45 * HA[1]) * factor * 1.24 / 3, rel=1e-9)


def test_carbon_fraction_and_root_shoot_are_settings(tmp_path, entries):
    row = emissions(tmp_path, entries, carbon_fraction=0.45, root_shoot=0.4)[0]
    assert row["luc_tco2eyear"] == pytest.approx((-180 * HA[0] - 45 * HA[1]) * 0.45 * 44 / 12 * 1.4 / 3, rel=1e-9)


def test_the_nearest_earlier_stock_is_taken_and_the_difference_of_its_years_divides(tmp_path, entries):
    # Start: 2018 (nearest before 2020); end: 2022 (nearest before 2023): four years between.
    agb = {**entries[0], "sources": {"2015": "agb23.tif", "2018": "agb20.tif", "2022": "agb23.tif"}}
    row = emissions(tmp_path, [agb, entries[1]])[0]
    assert row["stock_years"] == [2018, 2022]
    assert row["luc_tco2eyear"] == pytest.approx((-180 * HA[0] - 45 * HA[1]) * WITH_ROOTS / 4, rel=1e-9)
    assert row["assessed_end"].isoformat() == "2022-12-31"
    # the conversions are dated 2023, after the end stock: rows 0 and 1 one cell each, and the cell without a start stock
    reason = next(r for r in row["reasons"] if r["code"] == "loss_after_last_stock")
    assert reason["ha"] == pytest.approx(HA[0] + HA[1] + HA[2], rel=1e-6)


def test_a_later_start_stock_is_named_and_leaves_the_first_year_unassessed(tmp_path, entries):
    agb = {**entries[0], "sources": {"2022": "agb20.tif", "2023": "agb23.tif"}}
    lc = {**entries[1], "sources": {"2020": "lc20.tif", "2021": "lc23.tif"}}
    row = emissions(tmp_path, [agb, lc])[0]
    assert row["stock_years"] == [2022, 2023] and row["assessed_end"] is None
    assert {"loss_before_first_stock", "land_cover_years"} <= set(codes(row))


def test_one_stock_year_is_null_with_a_reason(tmp_path, entries):
    row = emissions(tmp_path, [{**entries[0], "sources": {"2020": "agb20.tif"}}, entries[1]])[0]
    assert [row[f"{part}_tco2eyear"] for part in ("luc", "biogenic", "removal")] == [None] * 3
    assert "one_stock_year" in codes(row) and row["stock_years"] is None and row["valid_fraction"] == 0
    assert row["annual_agb"]["2020"] == pytest.approx(780 / 8 * TO_CO2, rel=1e-6)  # the level is known all the same
    assert row["coverage"]["agb"] == pytest.approx(8 / 9, rel=1e-6)


def test_without_land_cover_and_detection_the_change_has_no_cause(tmp_path, entries):
    row = emissions(tmp_path, entries[:1])[0]
    assert (row["luc_tco2eyear"], row["biogenic_tco2eyear"], row["removal_tco2eyear"]) == (None, None, None)
    assert "no_land_use" in codes(row) and row["valid_fraction"] > 0.7
    single = {**entries[1], "sources": {"2020": "lc20.tif"}}
    assert "no_land_use" in codes(emissions(tmp_path, [entries[0], single])[0])


def test_nothing_bound_and_no_data(tmp_path, entries):
    outside = box(1, 1, 1.001, 1.001)
    row = emissions(tmp_path, entries, [outside])[0]
    assert row["luc_tco2eyear"] is None and row["annual_agb"]["2020"] is None and row["annual_lc"] == {"2020": None, "2023": None}
    assert "no_data:agb" in codes(row) and row["valid_fraction"] == 0
    tif(tmp_path, "other", [[1]])
    row = emissions(tmp_path, [{"role": "mine", "source": "other.tif", "stats": ["mean"]}])[0]
    assert codes(row) == ["missing_layer:agb", "missing_layer:soc"] and row["annual_agb"] is None


def test_soil_carbon_has_its_own_share(tmp_path, entries):
    # MgC/ha; one cell without data. 44/12 per C. 2020 -> 2023: row 0: -6, 0, +3; row 1: 0 0 0; row 2: -, 0, 0
    tif(tmp_path, "soc20", [[60, 60, 60], [60, 60, 60], [NODATA, 60, 60]]), tif(tmp_path, "soc23", [[54, 60, 63], [60, 60, 60], [60, 60, 60]])
    soc = {"role": "soc", "sources": {"2020": "soc20.tif", "2023": "soc23.tif"}}
    row = emissions(tmp_path, [*entries, soc])[0]
    total = -3 * HA[0] * 44 / 12 / 3
    assert row["soc_tco2eyear"] == pytest.approx(total, rel=1e-9)
    assert row["soc_tco2ehayear"] == pytest.approx(total / (3 * HA[0] + 3 * HA[1] + 2 * HA[2]), rel=1e-9)
    assert row["coverage"]["soc"] == pytest.approx(8 / 9, rel=1e-6)
    assert row["annual_soc"]["2020"] == pytest.approx(60 * 44 / 12, rel=1e-9)


def test_an_undated_soil_carbon_layer_is_a_level_without_change(tmp_path, entries):
    tif(tmp_path, "soc", [[60, 60, 60], [60, 60, 60], [30, 30, 30]])
    row = emissions(tmp_path, [*entries, {"role": "soc", "source": "soc.tif"}])[0]
    assert row["soc_tco2eyear"] is None and "one_stock_year:soc" in codes(row)
    assert row["annual_soc"] == {"mean": pytest.approx(50 * 44 / 12, rel=1e-6), "std": pytest.approx(math.sqrt(200) * 44 / 12, rel=1e-6)}
    alone = emissions(tmp_path, [{"role": "soc", "sources": {"2020": "soc.tif", "2023": "soc.tif"}}])[0]
    assert alone["soc_tco2eyear"] == 0 and "missing_layer:agb" in codes(alone)  # looked, found no change


def test_the_amortised_change_is_that_of_converted_cells_over_twenty_years(tmp_path, entries):
    row = emissions(tmp_path, entries)[0]
    change = (-180 * HA[0] - 45 * HA[1]) * WITH_ROOTS
    assert row["luc_amortised_tco2eyear"] == pytest.approx(change / 20, rel=1e-9)
    assert row["luc_amortised_tco2ehayear"] == pytest.approx(change / 20 / (3 * HA[0] + 3 * HA[1] + HA[2]), rel=1e-9)
    assert row["amortisation_years"] == 3  # 2021, 2022, 2023
    # earlier stocks and land cover reach further back: natural in 2010, managed in 2016, outside the window
    tif(tmp_path, "agb10", [[300, 0, 0]] * 3), tif(tmp_path, "lc10", [[1, 2, 1], [1, 1, 1], [1, 1, 1]], "uint8", nodata=0)
    agb = {**entries[0], "sources": {"2010": "agb10.tif", "2020": "agb20.tif", "2023": "agb23.tif"}}
    lc = {**entries[1], "sources": {"2010": "lc10.tif", "2020": "lc20.tif", "2023": "lc23.tif"}}
    row = emissions(tmp_path, [agb, lc])[0]
    # converted by 2020: row 1, columns 0 and 1 (1 -> 2), last stock before: 2010: 50 - 300, 95 - 0; by 2023 as above
    change = ((-180) * HA[0] + (50 - 300 + 95 - 0 - 45) * HA[1]) * WITH_ROOTS
    assert row["luc_amortised_tco2eyear"] == pytest.approx(change / 20, rel=1e-9)
    assert row["amortisation_years"] == 13
    assert row["luc_tco2eyear"] == pytest.approx((-180 * HA[0] - 45 * HA[1]) * WITH_ROOTS / 3, rel=1e-9)


def test_under_two_years_nothing_is_amortised(tmp_path, entries):
    agb = {**entries[0], "sources": {"2020": "agb20.tif", "2021": "agb23.tif"}}
    lc = {**entries[1], "sources": {"2020": "lc20.tif", "2021": "lc23.tif"}}
    row = emissions(tmp_path, [agb, lc])[0]
    assert row["amortisation_years"] == 1 and row["luc_amortised_tco2eyear"] is None and row["luc_tco2eyear"] is not None


def test_cells_in_the_union_of_the_detection_systems_are_land_use_change(tmp_path, entries):
    # No land cover. Forest in rows 0 and 1; loss in 2022 in cell (0, 0), and in (2, 0), which was no forest.
    tif(tmp_path, "forest", [[1, 1, 1], [1, 1, 1], [2, 2, 2]], "uint8", nodata=0)
    tif(tmp_path, "loss", [[22, 0, 0], [0, 0, 0], [22, 0, 0]], "uint8", nodata=None)
    forest = {"role": "forest_2020", "source": "forest.tif", "encoding": {"kind": "mask", "values": [1]}, "nodata": 0, "year": 2020}
    glad = {"role": "glad", "source": "loss.tif", "encoding": {"kind": "loss_year", "offset": 2000}, "years": [2001, 2023]}
    row = emissions(tmp_path, [entries[0], forest, glad])[0]
    assert row["luc_tco2eyear"] == pytest.approx(-180 * HA[0] * WITH_ROOTS / 3, rel=1e-9)
    assert row["biogenic_tco2eyear"] == pytest.approx((30 * HA[0] + (-30 + 15 - 45) * HA[1]) * WITH_ROOTS / 3, rel=1e-9)
    both = run_statistics(["eudr_deforestation", "luc_emissions"], tmp_path, [*entries, forest, glad], [PLOT])
    assert both["eudr_deforestation"][0]["detected_area"] == pytest.approx(HA[0], rel=1e-9)
    # with land cover too: cell (0, 0) by both, (1, 2) by land cover alone
    assert both["luc_emissions"][0]["luc_tco2eyear"] == pytest.approx((-180 * HA[0] - 45 * HA[1]) * WITH_ROOTS / 3, rel=1e-9)
    assert both["luc_emissions"] == emissions(tmp_path, [*entries, forest, glad])


def test_fine_loss_under_coarse_biomass_is_neither_lost_nor_multiplied(tmp_path):
    # Biomass: one cell of 0.004 degrees, 100 -> 60 Mg/ha. Loss: 3 of its 16 fine cells.
    tif(tmp_path, "a", [[100.0]], d=0.004), tif(tmp_path, "b", [[60.0]], d=0.004)
    loss = np.zeros((4, 4))
    loss[0, :3] = 21
    tif(tmp_path, "loss", loss, "uint8", d=FINER, nodata=None), tif(tmp_path, "forest", np.ones((4, 4)), "uint8", d=FINER)
    entries = [
        {"role": "agb", "sources": {"2020": "a.tif", "2023": "b.tif"}, "unit": "Mg/ha"},
        {"role": "forest_2020", "source": "forest.tif", "encoding": {"kind": "mask", "values": [1]}, "nodata": None, "year": 2020},
        {"role": "glad", "source": "loss.tif", "encoding": {"kind": "loss_year", "offset": 2000}, "years": [2001, 2023]},
    ]
    row = emissions(tmp_path, entries, [box(0, 0, 0.004, 0.004)])[0]
    assert row["luc_tco2ehayear"] == pytest.approx(-40 * WITH_ROOTS / 3 * 3 / 16, rel=1e-5)
    assert row["biogenic_tco2ehayear"] == pytest.approx(-40 * WITH_ROOTS / 3 * 13 / 16, rel=1e-5)


def test_a_gap_in_land_cover_is_passed_over(tmp_path, entries):
    tif(tmp_path, "lc22", [[0, 1, 1], [0, 2, 1], [1, 1, 0]], "uint8", nodata=0)
    lc = {**entries[1], "sources": {"2020": "lc20.tif", "2022": "lc22.tif", "2023": "lc23.tif"}}
    assert emissions(tmp_path, [entries[0], lc])[0]["luc_tco2eyear"] == emissions(tmp_path, entries)[0]["luc_tco2eyear"]


def test_a_mask_on_a_stock_is_refused(tmp_path, entries):
    with pytest.raises(DatasetError, match="key 'mask'"):
        emissions(tmp_path, [{**entries[0], "mask": {"source": "lc20.tif", "values": [1]}}, entries[1]])
