"""Biomass under a slanted plot, fine land cover over coarse stocks: against a loop over cells with shapely's intersections."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from epoch_plugin.core.zonal.cell_area import area_below
from tests.core.raster_files import write_tif
from tests.core.statistic_scene import run_statistics
from tests.core.test_metric_biomass import LC, WITH_ROOTS

FINE, PER, N = 0.001, 4, 16  # 16 x 16 fine cells, 4 x 4 under one biomass cell
RHO = 0.3


def test_every_part_against_a_loop_over_cells(tmp_path):
    rng = np.random.default_rng(11)
    coarse = {name: rng.uniform(0, 250, (N // PER, N // PER)).astype("float32") for name in ("a20", "a23", "s20", "s23")}
    coarse["a20"][1, 2] = coarse["s23"][0, 0] = -1  # no data
    for name, values in coarse.items():
        write_tif(tmp_path / f"{name}.tif", values, 0, N * FINE, FINE * PER, nodata=-1)
    fine = {name: rng.integers(0, 3, (N, N)).astype("uint8") for name in ("l20", "l21", "l23")}
    for name, codes in fine.items():
        write_tif(tmp_path / f"{name}.tif", codes, 0, N * FINE, FINE)
    entries = [
        {"role": "agb", "sources": {"2020": "a20.tif", "2023": "a23.tif"}, "unit": "Mg/ha"},
        {"role": "agb_sd", "sources": {"2020": "s20.tif", "2023": "s23.tif"}, "unit": "Mg/ha"},
        {"role": "lc", "sources": {"2020": "l20.tif", "2021": "l21.tif", "2023": "l23.tif"}, "encoding": LC, "nodata": 0},
    ]
    plot = Polygon([(0.0011, 0.0007), (0.0148, 0.0022), (0.0132, 0.0153), (0.0068, 0.0095), (0.0021, 0.0149)])
    row = run_statistics(["luc_emissions"], tmp_path, entries, [plot], rho=RHO, min_valid_fraction=0.5)["luc_emissions"][0]

    totals = dict.fromkeys(("luc", "biogenic", "removal", "assessed"), 0.0)
    errors: dict[str, dict[tuple[int, int], float]] = {"luc": {}, "biogenic": {}, "removal": {}}
    for r in range(N):
        north = (N - r) * FINE
        cell_ha = float(area_below(np.array([north]))[0] - area_below(np.array([north - FINE]))[0]) * math.radians(FINE) / 1e4
        for c in range(N):
            part = plot.intersection(box(c * FINE, north - FINE, (c + 1) * FINE, north)).area / FINE**2 * cell_ha
            at = (r // PER, c // PER)
            start, end = float(coarse["a20"][at]), float(coarse["a23"][at])
            if part == 0 or -1 in (start, end):
                continue
            known = [int(fine[name][r, c]) for name in ("l20", "l21", "l23") if fine[name][r, c]]
            kind = "luc" if (1, 2) in zip(known, known[1:]) else "biogenic"
            change = (end - start) * WITH_ROOTS / 3
            totals["assessed"] += part
            totals[kind] += part * change
            kinds = [kind, "removal"] if kind == "biogenic" and change > 0 else [kind]
            if "removal" in kinds:
                totals["removal"] += part * change
            sds = float(coarse["s20"][at]), float(coarse["s23"][at])
            for name in kinds if -1 not in sds else []:
                errors[name][at] = errors[name].get(at, 0.0) + part * WITH_ROOTS * math.hypot(*sds) / 3
    for name, by_cell in errors.items():
        assert row[f"{name}_tco2eyear"] == pytest.approx(totals[name], rel=1e-8)
        assert row[f"{name}_tco2ehayear"] == pytest.approx(totals[name] / totals["assessed"], rel=1e-8)
        expected = math.sqrt((1 - RHO) * sum(s * s for s in by_cell.values()) + RHO * sum(by_cell.values()) ** 2)
        assert row[f"{name}_uncertainty_sd"] == pytest.approx(expected, rel=1e-8)
