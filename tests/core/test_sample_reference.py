"""The reference area of a region of the sample: cocoa there without the plots, counted cell by cell over the plan of the landscape.

The collection holds the ordinary plots only, so that planted rotations of cocoa are other people's land.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("osgeo.gdal")
pytest.importorskip("pyproj")

from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store.store import Store
from scripts.sample.grids import ANALYSIS, NORTH, WEST, Lattice
from scripts.sample.looks import Cell, looks
from scripts.sample.metrics.biodiversity import Diversity
from scripts.sample.metrics.biomass import Emissions
from scripts.sample.metrics.layers import CANOPY, CLIMATE_YEARS, UNDATED, Ground
from scripts.sample.metrics.plant import make_ground, village
from scripts.sample.metrics.runs import RUNS
from scripts.sample.plan import make_plan, plots_with_ids
from scripts.sample.shapes import Shape, polygon
from tests.core.sample_batch import SAMPLE, run_sample

VILLAGE = 7  # here rotations of cocoa are cleared, by two systems and more
STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")


class Rest:
    """A region's cocoa without the plots, as a shape whose cells are those of a grid: what is cocoa at a cell's centre."""

    assumed = False

    def __init__(self, region: Shape, plots: list[Shape], ground: Ground, lattice: Lattice = ANALYSIS) -> None:
        self.lattice, self._cocoa = lattice, ground.scene.single["cocoa"]
        cells = {cell: ha for cell, ha in region.weights(lattice).items() if self._is_cocoa(*cell)}
        for plot in plots:
            for cell, ha in plot.weights(lattice).items():
                if cell in cells:
                    cells[cell] -= ha
        self.cells = {cell: ha for cell, ha in cells.items() if ha > 1e-9}
        self.area = math.fsum(self.cells.values())

    def _is_cocoa(self, row: int, column: int) -> bool:
        centre = self.lattice.west + (column + Fraction(1, 2)) * self.lattice.step, self.lattice.north - (row + Fraction(1, 2)) * self.lattice.step
        place = (NORTH - centre[1]) / ANALYSIS.step, (centre[0] - WEST) / ANALYSIS.step
        return self._cocoa.at(*(math.floor(along) for along in place)) == 1

    def weights(self, lattice: Lattice) -> dict[tuple[int, int], float]:
        """Return the cells."""
        assert lattice is self.lattice
        return self.cells


@pytest.fixture(scope="module")
def planted() -> tuple[Ground, Rest, Shape, Rest]:
    plan = make_plan()
    ground = make_ground(plan)
    column0, row0, column1, row1 = (bound + shift for bound, shift in zip(village(VILLAGE), (0.3, 0.4, 0.6, 0.7)))
    west, north = (float(WEST) + column0 * float(ANALYSIS.step), float(NORTH) - row0 * float(ANALYSIS.step))
    east, south = (float(WEST) + column1 * float(ANALYSIS.step), float(NORTH) - row1 * float(ANALYSIS.step))
    region = polygon((((((west, south), (east, south), (east, north), (west, north))),),))
    plots = [shape for _, shape, case in plots_with_ids(plan) if case.name == "ordinary"]
    return ground, Rest(region, plots, ground), region, Rest(region, plots, ground, CANOPY)


@pytest.fixture(scope="module")
def stored(planted: tuple[Ground, Rest, Shape, Rest], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The stored row of the region."""
    folder: Path = tmp_path_factory.mktemp("reference")
    corners = [list(corner) for corner in planted[2].parts[0][0]]
    feature = {"type": "Feature", "properties": {"name": "village"}, "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}}
    (folder / "regions.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    plots = json.loads((SAMPLE / "plots.geojson").read_text(encoding="utf-8"))
    plots["features"] = [feature for feature in plots["features"] if feature["properties"]["case"] == "ordinary"]
    (folder / "plots.geojson").write_text(json.dumps(plots), encoding="utf-8")
    store = Store(str(folder / "store.gpkg"))
    stage_plots(store, open_source(str(folder / "plots.geojson")), StageRequest(collection_name="vavoua", crop_type="cocoa"), NoProgress())
    upload_plots(store, "vavoua", False, None, NoProgress())
    regions = {"regions": str(folder / "regions.geojson"), "region_name_field": "name"}
    run_sample(store, datasets=SAMPLE / "datasets_all.json", stats=STATISTICS, end_date=dt.date(2025, 12, 31), **regions)
    with store.reading() as connection:
        return dict(connection.execute("SELECT * FROM stat_supply_shed WHERE region_name = 'village'").fetchone())


def test_emissions(planted: tuple[Ground, Rest, Shape, Rest], stored: dict[str, Any]) -> None:
    ground, rest, _, _ = planted
    expected = Emissions(ground, RUNS[0]).of(rest)  # type: ignore[arg-type]
    for name in ("luc", "biogenic", "removal", "soc"):
        assert stored[f"{name}_tco2ehayear_ref"] == pytest.approx(expected[f"{name}_tco2ehayear"], rel=1e-6, abs=1e-9), name
        assert (stored[f"{name}_tco2ehayear_ref_se"], stored[f"{name}_tco2ehayear_ref_year"]) == (0.0, 2020)
    assert abs(expected["biogenic_tco2ehayear"]) > 0.01 and abs(expected["luc_tco2ehayear"]) > 0.01


def test_forest_loss_by_consensus(planted: tuple[Ground, Rest, Shape, Rest], stored: dict[str, Any]) -> None:
    ground, rest, _, _ = planted
    run = RUNS[0]
    lookers = {s: looks(ground.scene, s, record, run.window) for s, record in run.systems.records.items()}
    baseline = ground.scene.single["forest_2020"]
    cells = [Cell(r, c, ha, baseline.at(r, c) == 1, {s: look(r, c) for s, look in lookers.items()}) for (r, c), ha in rest.cells.items()]
    expected = math.fsum(cell.ha for cell in cells if cell.consensus) / rest.area
    assert stored["noncompliance_area_perc_ref"] == pytest.approx(expected, rel=1e-6) and expected > 1e-4


def test_water_weighs_by_the_cocoa_in_its_cells(planted: tuple[Ground, Rest, Shape, Rest], stored: dict[str, Any]) -> None:
    ground, rest, _, _ = planted
    layer = ground.measured["water_stress"][UNDATED]
    known = [(ha, value) for (r, c), ha in rest.cells.items() if (value := layer.at_analysis(r, c)) is not None]
    expected = math.fsum(ha * value for ha, value in known) / math.fsum(ha for ha, _ in known)
    assert stored["water_stress_index_ref"] == pytest.approx(expected, rel=1e-6)
    means = {}
    for year in CLIMATE_YEARS["soil_moisture"]:
        values = ((ha, ground.measured["soil_moisture"][year].at_analysis(r, c)) for (r, c), ha in rest.cells.items())
        means[year] = math.fsum(ha * (value or 0.0) for ha, value in values) / rest.area
    below = sum(means[year] < means[2025] for year in range(2014, 2021))
    assert stored["soil_moisture_percentile_ref"] == pytest.approx(100 * below / 7)


def test_the_diversity_score_of_cocoa_on_the_canopys_own_cells(planted: tuple[Ground, Rest, Shape, Rest], stored: dict[str, Any]) -> None:
    ground, _, _, rest = planted
    expected = Diversity(ground, RUNS[0]).of(rest)  # type: ignore[arg-type]
    assert expected["valid_fraction"] == pytest.approx(1) and 0.05 < expected["diversity_score"] < 0.95
    assert stored["diversity_score_ref"] == pytest.approx(expected["diversity_score"], rel=1e-6)
    assert (stored["diversity_score_ref_n"], stored["diversity_score_ref_se"], stored["diversity_score_ref_year"]) == (len(rest.cells), 0.0, 2020)
    # plots that stand in forest or beside it score otherwise: the reference is not the plots' own figure
    assert abs(stored["diversity_score"] - expected["diversity_score"]) > 0.01
