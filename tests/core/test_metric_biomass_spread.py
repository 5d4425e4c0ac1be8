"""Standard deviations of the change, root-to-shoot ratios from layers, and the aggregate of the methods page."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import box

from epoch_plugin.core.errors import DatasetError
from tests.core.raster_files import write_tif
from tests.core.statistic_scene import codes, run_statistics
from tests.core.test_metric_biomass import HA, LC, TO_CO2, WITH_ROOTS, D, emissions, tif

ROW = box(0, 0.002, 0.003, 0.003)  # the northern row: three cells of HA[0]


def write_row(folder, name, values, dtype="float32", nodata=-9999.0):
    return write_tif(folder / f"{name}.tif", np.array([values], dtype), 0, 0.003, D, nodata=nodata)


@pytest.fixture
def entries(tmp_path):
    for name, values in (("a20", [100, 100, 100]), ("a23", [70, 130, 90]), ("s20", [30, 3, 0]), ("s23", [40, 4, 5])):
        write_row(tmp_path, name, values)
    write_row(tmp_path, "n", [1, 1, 1], "uint8", 0), write_row(tmp_path, "m", [2, 1, 1], "uint8", 0)
    return [
        {"role": "agb", "sources": {"2020": "a20.tif", "2023": "a23.tif"}, "unit": "Mg/ha"},
        {"role": "agb_sd", "sources": {"2020": "s20.tif", "2023": "s23.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "n.tif", "2023": "m.tif"}, "encoding": LC, "nodata": 0},
    ]


@pytest.mark.parametrize("rho", [1.0, 0.0, 0.25])
def test_standard_deviations_by_hand(tmp_path, entries, rho):
    # s_i = ha x factor x sqrt(sd_start^2 + sd_end^2) / years: 50, 5, 5 Mg/ha for the three cells; luc: the first, biogenic: the others
    row = emissions(tmp_path, entries, [ROW], rho=rho)[0]
    unit = HA[0] * WITH_ROOTS / 3
    expected = {"luc": 50, "biogenic": math.sqrt((1 - rho) * (25 + 25) + rho * 100), "removal": 5}  # only the second cell gains
    for part, value in expected.items():
        assert row[f"{part}_uncertainty_sd"] == pytest.approx(value * unit, rel=1e-9)
    assert row["coverage"]["agb_sd"] == pytest.approx(1, rel=1e-9)


def test_fine_cells_under_one_biomass_cell_share_one_error(tmp_path):
    # Two biomass cells of 0.004 degrees with SDs 6 and 8 at the start, none at the end; land cover of 0.001 degrees: all natural.
    # Uncorrelated (rho 0) biomass cells: sqrt(6^2 + 8^2) = 10 per cell area, however many fine cells lie under them.
    for name, values in (("a", [100, 100]), ("b", [90, 90]), ("s", [6, 8]), ("t", [0, 0])):
        write_tif(tmp_path / f"{name}.tif", np.array([values], "float32"), 0, 0.004, 0.004)
    write_tif(tmp_path / "lc.tif", np.ones((4, 8), "uint8"), 0, 0.004, 0.001)
    entries = [
        {"role": "agb", "sources": {"2020": "a.tif", "2023": "b.tif"}, "unit": "MgCO2/ha"},
        {"role": "agb_sd", "sources": {"2020": "s.tif", "2023": "t.tif"}, "unit": "MgCO2/ha"},
        {"role": "lc", "sources": {"2020": "lc.tif", "2023": "lc.tif"}, "encoding": LC, "nodata": 0},
    ]
    plot = box(0, 0, 0.008, 0.004)
    found = {rho: emissions(tmp_path, entries, [plot], rho=rho)[0] for rho in (0.0, 1.0)}
    ha = found[1.0]["biogenic_tco2eyear"] / (-10 * 1.24 / 3) / 2  # of one biomass cell
    assert found[0.0]["biogenic_uncertainty_sd"] == pytest.approx(10 * ha * 1.24 / 3, rel=1e-9)
    assert found[1.0]["biogenic_uncertainty_sd"] == pytest.approx(14 * ha * 1.24 / 3, rel=1e-9)


def test_standard_deviations_of_too_few_cells_are_null(tmp_path, entries):
    write_row(tmp_path, "s20", [30, -9999, 0])
    row = emissions(tmp_path, entries, [ROW])[0]
    assert row["luc_uncertainty_sd"] is None and "sd_coverage" in codes(row)
    assert row["luc_tco2eyear"] is not None
    assert "missing_layer:agb_sd" in codes(emissions(tmp_path, [entries[0], {**entries[1], "sources": {"2020": "s20.tif"}}, entries[2]], [ROW])[0])


def test_a_raster_of_root_shoot_ratios(tmp_path, entries):
    write_row(tmp_path, "r", [0.2, 0.5, -9999])
    row = emissions(tmp_path, [*entries, {"role": "root_shoot", "source": "r.tif"}], [ROW])[0]
    assert row["luc_tco2eyear"] == pytest.approx(-30 * 1.2 * TO_CO2 / 3 * HA[0], rel=1e-6)
    assert row["biogenic_tco2eyear"] == pytest.approx(30 * 1.5 * TO_CO2 / 3 * HA[0], rel=1e-6)
    assert row["valid_fraction"] == pytest.approx(2 / 3)  # without a ratio the biomass below ground is unknown
    assert row["annual_bgb"]["2020"] == pytest.approx((20 + 50) / 2 * TO_CO2, rel=1e-6)
    assert row["luc_uncertainty_sd"] == pytest.approx(50 * 1.2 * TO_CO2 / 3 * HA[0], rel=1e-6)


def test_the_table_of_ecological_zones(tmp_path, entries):
    # IPCC 2006 table 4.4: rainforest 0.37; moist deciduous 0.20 up to 125 t/ha, 0.24 above; dry 0.56 up to 20, 0.28 above
    write_row(tmp_path, "a20", [300, 125, 126]), write_row(tmp_path, "a23", [300, 20, 21])
    write_row(tmp_path, "z", [1, 2, 2], "uint8", 0)
    names = {"1": "tropical rainforest", "2": "tropical moist deciduous forest"}
    zones = {"role": "ecological_zone", "source": "z.tif", "encoding": {"kind": "classes", "class_map": names}, "nodata": 0}
    row = emissions(tmp_path, [*entries, zones], [ROW])[0]
    assert row["annual_bgb"]["2020"] == pytest.approx((300 * 0.37 + 125 * 0.20 + 126 * 0.24) / 3 * TO_CO2, rel=1e-6)
    assert row["annual_bgb"]["2023"] == pytest.approx((300 * 0.37 + 20 * 0.20 + 21 * 0.20) / 3 * TO_CO2, rel=1e-6)
    zones["encoding"]["class_map"]["2"] = "rain forest"
    with pytest.raises(DatasetError, match="rain forest"):
        emissions(tmp_path, [*entries, zones], [ROW])


def test_the_aggregate_check_of_the_methods_page():
    # METHODS section 4: total / assessed area
    assert round(-125.4 / 4567.8, 3) == -0.027


def test_chunks_and_threads_change_no_digit(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("a", "b", "s"):
        tif(tmp_path, name, rng.uniform(0, 300, (60, 60)), d=0.005)
    tif(tmp_path, "n", rng.integers(0, 3, (300, 300)), "uint8", nodata=0), tif(tmp_path, "m", rng.integers(0, 3, (300, 300)), "uint8", nodata=0)
    entries = [
        {"role": "agb", "sources": {"2020": "a.tif", "2023": "b.tif"}, "unit": "Mg/ha"},
        {"role": "agb_sd", "sources": {"2020": "s.tif", "2023": "s.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "n.tif", "2023": "m.tif"}, "encoding": LC, "nodata": 0},
    ]
    plots = [box(x, y, x + 0.0311, y + 0.0277) for x, y in rng.uniform(0, 0.25, (12, 2))]
    together = run_statistics(["luc_emissions"], tmp_path, entries, plots, threads=1, rho=0.5)["luc_emissions"]
    apart = [run_statistics(["luc_emissions"], tmp_path, entries, [plot], threads=3, rho=0.5)["luc_emissions"][0] for plot in plots]
    assert together == [{**row, "uuid": f"plot-{i}"} for i, row in enumerate(apart)]
