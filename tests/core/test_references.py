"""Reference areas: hand-counted cells of a region's commodity outside the collection's plots, exact and sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import shapely.wkb
from shapely.geometry import MultiPolygon, box

from epoch_plugin.core.batch.commodity_mask import CommodityKernel
from epoch_plugin.core.batch.references import standard_error
from epoch_plugin.core.metrics.deforestation.systems import MASK_NO, MASK_YES
from epoch_plugin.core.regions import reference_area as reference_areas
from epoch_plugin.core.regions.reference_area import reference_area
from epoch_plugin.core.regions.region import area_ha
from epoch_plugin.core.zonal.kernel import Cells, CellStates, LayerRead
from tests.core.deforestation_scene import X0, Y0, D, block_ha, cells, ha
from tests.core.raster_files import write_datasets, write_tif
from tests.core.region_scene import cocoa, codes, forest_and_loss, region_rows, regions_file, run, store_with

FIELD = "noncompliance_area_perc"
WORLD = (-180.0, -90.0, 180.0, 90.0)


def rows_of(tmp_path, entries, *plots, region=None, **changes):
    """The rows of a batch over plots with one region, the left 30 columns."""
    store = store_with(tmp_path, *(plots or (cells(0, 0, 5, 5),)), **changes)
    regions = regions_file(tmp_path, ("west", region or cells(0, 0, 30, 40)))
    run(store, write_datasets(tmp_path, *entries), regions=regions, region_name_field="zone")
    return region_rows(store)


def test_consensus_of_two_systems_over_the_commodity_without_the_plots(tmp_path):
    glad = ((10, 10, 14, 14, 22), (25, 5, 27, 9, 22), (0, 0, 2, 2, 22))  # in cocoa, beside cocoa, in the plot
    second = ((12, 10, 16, 14, 23), (0, 0, 2, 2, 23))
    rows = rows_of(tmp_path, [*forest_and_loss(tmp_path, glad=glad, second=second), cocoa(tmp_path, (0, 0, 20, 40))])
    row = rows["region", "west"]
    reference = block_ha(0, 0, 20, 40) - block_ha(0, 0, 5, 5)
    assert row[f"{FIELD}_ref"] == pytest.approx(block_ha(12, 10, 14, 14) / reference, rel=1e-6)  # both systems: columns 12 and 13
    assert (row[f"{FIELD}_ref_n"], row[f"{FIELD}_ref_se"], row[f"{FIELD}_ref_year"]) == (20 * 40 - 25, 0.0, 2020)
    assert row["area_ha_supply_shed"] == pytest.approx(block_ha(0, 0, 30, 40), rel=1e-6) and codes(row) == set()
    assert row["annual_defor_ha"]["defor_ha_2022"] == pytest.approx(block_ha(0, 0, 2, 2), rel=1e-6)  # the plot's own


def test_one_system_alone_counts_what_it_flags(tmp_path):
    rows = rows_of(tmp_path, [*forest_and_loss(tmp_path, glad=((10, 10, 14, 14, 22),)), cocoa(tmp_path, (0, 0, 20, 40))])
    reference = block_ha(0, 0, 20, 40) - block_ha(0, 0, 5, 5)
    assert rows["region", "west"][f"{FIELD}_ref"] == pytest.approx(block_ha(10, 10, 14, 14) / reference, rel=1e-6)


def test_the_hull_of_the_collection_is_a_region_too(tmp_path):
    entries = [*forest_and_loss(tmp_path, glad=((8, 8, 10, 10, 22),)), cocoa(tmp_path, (0, 0, 20, 40))]
    rows = rows_of(tmp_path, entries, cells(0, 0, 4, 4), cells(16, 0, 20, 4), cells(0, 16, 4, 20), cells(16, 16, 20, 20))
    row = rows["supply_shed", "Cocoa North"]
    assert row["area_ha_supply_shed"] == pytest.approx(block_ha(0, 0, 20, 20), rel=1e-5)
    corners = block_ha(0, 0, 4, 4) * 2 + block_ha(0, 16, 4, 20) * 2
    assert row[f"{FIELD}_ref"] == pytest.approx(block_ha(8, 8, 10, 10) / (block_ha(0, 0, 20, 20) - corners), rel=1e-5)
    assert row["uuid"] == "0xabc" and row["commodity_plot_no"] == 4


def test_the_newest_layer_of_the_commodity_counts(tmp_path):
    older, newer = cocoa(tmp_path, (0, 0, 20, 40), year=2020), cocoa(tmp_path, (8, 8, 16, 16), year=2023)
    entries = [*forest_and_loss(tmp_path, glad=((10, 10, 12, 12, 22),)), older, newer]
    row = rows_of(tmp_path, entries)["region", "west"]
    assert row[f"{FIELD}_ref"] == pytest.approx(block_ha(10, 10, 12, 12) / block_ha(8, 8, 16, 16), rel=1e-6)
    assert row[f"{FIELD}_ref_year"] == 2023 and row[f"{FIELD}_ref_n"] == 64


@pytest.mark.parametrize(
    ("entries", "changes", "code"),
    [
        ([], {}, "reference_missing:cocoa"),
        ([], {"crop_type": "saffron"}, "reference_no_commodity"),
        (["nowhere"], {}, "reference_empty"),
        (["only the plot"], {}, "reference_empty"),
        (["undated"], {}, "reference_undated:cocoa"),
    ],
)
def test_without_a_reference_its_fields_are_null_and_the_reason_is_named(tmp_path, entries, changes, code):
    layers = {"nowhere": lambda: cocoa(tmp_path), "only the plot": lambda: cocoa(tmp_path, (0, 0, 5, 5)),
              "undated": lambda: cocoa(tmp_path, (0, 0, 20, 40), year=None)}  # fmt: skip
    found = [*forest_and_loss(tmp_path, glad=((10, 10, 14, 14, 22),)), *(layers[name]() for name in entries)]
    row = rows_of(tmp_path, found, **changes)["region", "west"]
    assert code in codes(row)
    assert row[f"{FIELD}_ref_year"] is None
    assert (row[f"{FIELD}_ref"] is None) == (code != "reference_undated:cocoa")


def test_a_part_of_the_region_beyond_the_layer_is_said(tmp_path):
    entries = [*forest_and_loss(tmp_path, glad=()), cocoa(tmp_path, (0, 0, 20, 40))]
    row = rows_of(tmp_path, entries, region=cells(0, 0, 80, 40))["region", "west"]
    (partly,) = [item for item in row["reasons"] if item["code"] == "reference_partly:cocoa"]
    assert partly["share"] == pytest.approx(0.5, abs=0.001)
    assert row[f"{FIELD}_ref"] == 0.0  # forest was looked at everywhere within the layer, and nothing was flagged


def test_a_large_region_is_sampled_with_a_standard_error(tmp_path, monkeypatch):
    glad = tuple((c, r, c + 1, r + 1, 22) for c in range(0, 40, 3) for r in range(0, 40, 3))
    entries = [*forest_and_loss(tmp_path, glad=glad), cocoa(tmp_path, (0, 0, 40, 40))]
    whole = rows_of(tmp_path, entries, region=cells(0, 0, 40, 40))["region", "west"]
    for name, value in (("SQUARE_CELLS", 4), ("EXACT_CELLS", 800), ("SQUARES", 50)):
        monkeypatch.setattr(reference_areas, name, value)
    (tmp_path / "sampled").mkdir()
    sampled = rows_of(tmp_path / "sampled", _moved(entries, tmp_path), region=cells(0, 0, 40, 40))["region", "west"]
    assert whole[f"{FIELD}_ref_se"] == 0.0 and "reference_sampled" in codes(sampled)
    n, se = sampled[f"{FIELD}_ref_n"], sampled[f"{FIELD}_ref_se"]
    assert 30 < n < 70 and 0 < se < 0.02
    assert abs(sampled[f"{FIELD}_ref"] - whole[f"{FIELD}_ref"]) < 3 * se


def _moved(entries, folder):
    return [{**entry, "source": str(folder / entry["source"])} for entry in entries]


def test_pieces_of_a_region_are_disjoint_and_without_plots():
    region = MultiPolygon([box(10, 5, 10.35, 5.25)])
    plots = [box(10.05, 5.05, 10.06, 5.06), box(10.34, 5.24, 10.4, 5.3), box(10.055, 5.055, 10.07, 5.07)]
    found = reference_area(region, WORLD, lambda bounds: [plot.wkb for plot in plots if plot.intersects(box(*bounds))], 900.0)
    (piece,) = found.pieces
    left = region.difference(plots[0].union(plots[1]).union(plots[2]))
    assert not found.sampled and found.fraction == 1.0
    parts = list(shapely.wkb.loads(piece).geoms)
    assert sum(area_ha(part) for part in parts) == pytest.approx(area_ha(left), rel=1e-5)  # long edges are geodesics, cut ones less so
    assert sum(part.area for part in parts) == pytest.approx(left.area, rel=1e-9)  # they do not overlap


def test_a_sample_stands_on_a_fixed_lattice_and_holds_about_what_was_asked():
    region = MultiPolygon([box(10, 5, 12, 7)])
    cells_there = area_ha(region) * 1e4 / 900
    found = reference_area(region, WORLD, lambda bounds: [], 900.0)
    wanted = reference_areas.SQUARES * reference_areas.SQUARE_CELLS**2
    assert found.sampled and found.fraction * cells_there == pytest.approx(wanted, rel=0.15)
    again = reference_area(region, WORLD, lambda bounds: [], 900.0)
    assert found.pieces == again.pieces
    inside = [shapely.wkb.loads(piece) for piece in found.pieces]
    assert all(region.buffer(1e-9).covers(piece) for piece in inside)


def test_standard_error_of_a_ratio_by_hand():
    # areas 2, 1, 1 ha with shares 0.5, 0, 1: R = (1 + 0 + 1) / 4 = 0.5; sum of squares = 0 + 0.25 + 0.25; n / (n - 1) = 1.5
    assert standard_error(0.5, [(2.0, 0.5), (1.0, 0.0), (1.0, 1.0)], 0.0) == pytest.approx(math.sqrt(1.5 * 0.5) / 4)
    assert standard_error(0.5, [(2.0, 0.5), (1.0, 0.0), (1.0, 1.0)], 0.75) == pytest.approx(math.sqrt(0.25 * 1.5 * 0.5) / 4)
    assert standard_error(0.5, [(2.0, 0.5)], 0.0) is None
    assert standard_error(0.0, [(2.0, 0.0), (1.0, 0.0), (3.0, 0.0)], 0.1) is None  # no scatter among squares is not certainty
    assert standard_error(0.1 + 0.2, [(2.0, 0.3), (1.0, 0.1 + 0.2), (3.0, 0.3)], 0.1) is None  # nor is rounding


def test_cell_areas_of_the_hand_counts_are_pyprojs():
    assert ha(0) == pytest.approx(block_ha(0, 0, 1, 1))


def test_coarse_measurements_weigh_by_the_commoditys_area_in_their_cells(tmp_path):
    # cells of 20 x 20: precipitation 1000 and 2000 mm, demand 1000 mm; of the cocoa 15 columns lie in the first, 5 in the second
    for name, values in (("p", [[1000, 2000]] * 2), ("pet", [[1000, 1000]] * 2)):
        write_tif(tmp_path / f"{name}.tif", np.array(values, "float32"), X0, Y0, 20 * D)
    entries = [{"role": role, "sources": {"2022": f"{name}.tif"}, "unit": "mm"} for role, name in (("precipitation", "p"), ("pet", "pet"))]
    store = store_with(tmp_path, cells(0, 30, 4, 34), cells(36, 36, 40, 40), cells(0, 0, 2, 2))
    regions = regions_file(tmp_path, ("all", cells(0, 0, 40, 40)))
    run(store, write_datasets(tmp_path, *entries, cocoa(tmp_path, (5, 0, 25, 20))), stats=("water",), regions=regions, region_name_field="zone")
    row = region_rows(store)["region", "all"]
    left, right = block_ha(5, 0, 20, 20), block_ha(20, 0, 25, 20)
    assert row["precipitation_pet_ratio_ref"] == pytest.approx((1000 * left + 2000 * right) / (1000 * (left + right)), rel=1e-9)
    assert row["precipitation_pet_ratio_ref_n"] == 400 and row["water_stress_index_ref"] is None


def test_emissions_of_the_reference_by_hand(tmp_path):
    for year, loss in ((2020, 0), (2023, 30)):
        values = np.full((40, 40), 100, "float32")
        values[:10] -= loss  # the upper quarter of the landscape lost biomass
        write_tif(tmp_path / f"agb_{year}.tif", values, X0, Y0, D)
        write_tif(tmp_path / f"lc_{year}.tif", np.where(values < 100, 2, 1).astype("uint8"), X0, Y0, D)
    classes = {"encoding": {"kind": "classes", "class_map": {"1": "natural", "2": "managed"}}, "nodata": 0}
    entries = [{"role": "agb", "sources": {"2020": "agb_2020.tif", "2023": "agb_2023.tif"}, "unit": "Mg/ha"},
               {"role": "lc", "sources": {"2020": "lc_2020.tif", "2023": "lc_2023.tif"}, **classes}]  # fmt: skip
    store = store_with(tmp_path, cells(0, 0, 5, 5))
    regions = regions_file(tmp_path, ("all", cells(0, 0, 40, 40)))
    path = write_datasets(tmp_path, *entries, cocoa(tmp_path, (0, 0, 20, 20)))
    run(store, path, stats=("luc_emissions",), regions=regions, region_name_field="zone")
    row = region_rows(store)["region", "all"]
    lost = block_ha(0, 0, 20, 10) - block_ha(0, 0, 5, 5)
    reference = block_ha(0, 0, 20, 20) - block_ha(0, 0, 5, 5)
    change = -30 * 0.47 * 44 / 12 * 1.24 / 3  # t CO2e per ha and year, above and below ground
    assert row["luc_tco2ehayear_ref"] == pytest.approx(change * lost / reference, rel=1e-6)
    assert row["biogenic_tco2ehayear_ref"] == pytest.approx(0, abs=1e-9) and row["soc_tco2ehayear_ref"] is None
    assert row["luc_tco2ehayear"] == pytest.approx(change, rel=1e-5)  # the plot lost all over


def test_a_commodity_splits_any_number_of_states():
    @dataclass(frozen=True)
    class ManyStates:
        """Another kernel, whose codes are bytes as they come from a table of 200 values."""

        reads = ()

        def __call__(self, cells):
            return CellStates(cells.values["codes"], np.arange(200)[:, None])

    mask = LayerRead("mask", None, None, 0)
    codes, grows = np.array([0, 127, 128, 199], np.uint8), np.array([MASK_YES, MASK_NO, MASK_YES, MASK_YES])
    none = np.zeros(0, np.int64)
    answer = CommodityKernel(ManyStates(), mask)(Cells(np.zeros(4, bool), {"codes": codes, "mask": grows}, none, none))
    assert answer.states[answer.code].tolist() == [[0, 1], [127, 0], [128, 1], [199, 1]]
