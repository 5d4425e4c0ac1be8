"""Layers of other grids, and vectors: which grid the analysis has, and what that changes. Every expectation is worked out beside its test."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.affinity import translate

from epoch_plugin.core.errors import DatasetError
from tests.core.deforestation_scene import PLOT, YES_NO, D, Scene, block_ha, cells, codes, field
from tests.core.raster_files import write_vector


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_vector_context(scene):
    scene.forest().loss("glad")
    shapes = [(cells(10.4, 10.4, 15.4, 30), {"STATUS": "Designated"}), (cells(0, 0, 39, 39), {"STATUS": "Proposed"})]
    write_vector(scene.folder / "wdpa.gpkg", shapes, layer="polygons")
    scene.entries.append({"role": "wdpa", "source": "wdpa.gpkg", "layer": "polygons", "where": "STATUS <> 'Proposed'"})
    row = scene.one(PLOT)
    assert row["overlap"]["wdpa"] == pytest.approx(block_ha(10, 10, 15, 20), rel=1e-7)  # centres 10.5 to 14.5
    assert "context_missing:wdpa" not in codes(row)


def test_vector_baseline_and_vector_detection_are_burnt_on_the_finest_raster(scene):
    # forest as polygons, a monitoring system's clearings as polygons with their year; glad's grid is the only raster
    scene.loss("glad", (10, 10, 12, 12, 22))
    write_vector(scene.folder / "forest.gpkg", [(cells(0, 0, 14.4, 40), {"KIND": "forest"})])  # centres 0.5 to 13.5
    write_vector(scene.folder / "monitor.gpkg", [(cells(10, 10, 16, 12), {"YEAR": 2023}), (cells(10, 16, 12, 18), {"YEAR": 2019})])
    scene.entries += [
        {"role": "forest_2020", "source": "forest.gpkg", "year": 2020, "encoding": {"kind": "mask", "values": [1]}},
        {"role": "monitor", "theme": "detection", "source": "monitor.gpkg", "value_field": "YEAR", "years": [2001, 2025],
         "encoding": {"kind": "loss_year", "none": [0]}},
    ]  # fmt: skip
    row = scene.one(PLOT)
    # union: the monitor's 2023 within the forest, columns 10 to 13; glad's 2022 is the lower median where both flag
    assert row["detected_area"] == pytest.approx(block_ha(10, 10, 14, 12), rel=1e-7)
    assert row["annual_defor"]["defor_ha_2022"] == pytest.approx(block_ha(10, 10, 12, 12), rel=1e-7)
    assert row["annual_defor"]["defor_ha_2023"] == pytest.approx(block_ha(12, 10, 14, 12), rel=1e-7)
    assert row["forest_area"] == pytest.approx(block_ha(10, 10, 14, 20), rel=1e-7)
    assert row["coverage"]["monitor"] == pytest.approx(1)


def test_vectors_alone_have_no_grid_to_be_burnt_on(scene):
    write_vector(scene.folder / "forest.gpkg", [(cells(0, 0, 14, 40), {"KIND": "forest"})])
    scene.entries.append({"role": "forest_2020", "source": "forest.gpkg", "year": 2020, "encoding": {"kind": "mask", "values": [1]}})
    with pytest.raises(DatasetError, match="analysis grid"):
        scene.one(PLOT)


# grids


def test_finest_grid_of_baseline_and_systems_decides(scene):
    # glad is coarse (0.0005), the baseline fine: loss in one coarse cell = 4 fine cells, of which 3 are forest
    scene.forest((11, 11, 12, 12, 0))
    scene.loss("glad", values=np.where(np.indices((20, 20)).prod(axis=0) == 25, 22, 0).astype("uint8")[:20, :20], d=2 * D)
    row = scene.one(cells(10, 10, 12, 12))
    # coarse cell (5, 5) is fine cells 10-11; (1, 25) and (25, 1) do not exist in 20 x 20
    assert row["detected_area"] == pytest.approx(block_ha(10, 10, 12, 12) - block_ha(11, 11, 12, 12), rel=1e-7)


def test_a_finer_context_layer_never_changes_a_flagged_area(scene):
    scene.forest().loss("glad", (10, 10, 13, 13, 22)).loss("other", (11, 10, 13, 13, 23))
    plot = cells(9.6, 9.7, 12.3, 12.9)
    before = scene.one(plot)
    scene.layer("cocoa", np.random.default_rng(0).integers(0, 2, (400, 400)).astype("uint8"), YES_NO, year=2020, d=D / 10)
    after = scene.one(plot)
    # to rounding: numpy may add the same cells in another order where more is asked of them
    for name in ("annual_defor", "agreement", "detected_area"):
        assert after[name] == pytest.approx(before[name], rel=1e-12)
    for name, years in before["system_defor"].items():
        assert after["system_defor"][name] == pytest.approx(years, rel=1e-12)


def test_overlap_is_computed_on_the_layers_own_grid(scene):
    # a cocoa layer of ten times finer cells, yes in a strip of 3 fine columns: 0.3 of an analysis column
    fine = np.zeros((400, 400), "uint8")
    fine[:, 150:153] = 1
    scene.forest().loss("glad").layer("cocoa", fine, YES_NO, year=2020, d=D / 10)
    assert scene.one(PLOT)["overlap"]["cocoa"] == pytest.approx(0.3 * block_ha(15, 10, 16, 20), rel=1e-6)


def test_results_of_a_plot_do_not_depend_on_the_others(scene):
    scene.forest((0, 0, 5, 5, 0)).loss("glad", (10, 10, 13, 13, 22))
    scene.series("tmf", {year: field(1, (8, 8, 12, 12, 3 if year > 2022 else 1)) for year in range(2020, 2026)})
    scene.yes("wdpa", (9, 9, 11, 11)).yes("cocoa", (12, 0, 15, 40))
    plots = [cells(9.6, 9.7, 12.3, 12.9), cells(2, 2, 6, 6.5), translate(PLOT, 0.5, 0.5), cells(30, 30, 50, 33)]
    together = scene.check(*plots)
    for number, plot in enumerate(plots):
        alone = scene.one(plot)
        # to rounding: the analysis grid is as wide as the collection, and its origin is written with 16 digits
        assert numbers_of(alone) == pytest.approx(numbers_of(together[number]), rel=1e-9, abs=1e-12)
        assert codes(alone) == codes(together[number]) and alone["deforestation_alert"] == together[number]["deforestation_alert"]


def numbers_of(row):
    """All areas and shares of a row by name; -1 stands for null."""
    found = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found.update({f"{name}.{key}": number for key, number in numbers_of(value).items()})
        elif value is None or isinstance(value, float):
            found[name] = -1.0 if value is None else value
    return found
