"""Files become entries: products by their names, years and tiles as patterns, nothing guessed that a name does not say."""

from __future__ import annotations

import pytest

from epoch_plugin.core.datasets.datasets_file import datasets_from_dict
from epoch_plugin.core.datasets.suggest import files_below, suggest_entries


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return suggest_entries(files_below(str(folder)), str(folder))


def by_role(entries):
    assert len({entry["role"] for entry in entries}) == len(entries), entries
    return {entry["role"]: entry for entry in entries}


@pytest.mark.parametrize(
    ("names", "entry"),
    [
        (["JRC_GFC2020_V3_N10_W10.tif", "JRC_GFC2020_V3_N0_W10.tif"],
         {"role": "forest_2020", "profile": "jrc_gfc2020_v3", "source": "JRC_GFC2020_V3_N*0_W10.tif"}),
        (["Hansen_GFC-2025-v1.13_lossyear_10N_010W.tif"],
         {"role": "glad", "profile": "hansen_gfc", "source": "Hansen_GFC-2025-v1.13_lossyear_10N_010W.tif"}),
        (["tmf/JRC_TMF_AnnualChange_v1_2020_AFR.tif", "tmf/JRC_TMF_AnnualChange_v1_2021_AFR.tif"],
         {"role": "tmf", "profile": "jrc_tmf_annual_change", "source": "tmf/JRC_TMF_AnnualChange_v1_{year}_AFR.tif"}),
        (["dw/dynamic_world_2020_E.tif", "dw/dynamic_world_2020_W.tif", "dw/dynamic_world_2021_E.tif", "dw/dynamic_world_2021_W.tif"],
         {"role": "dynamic_world", "profile": "dynamic_world_annual", "source": "dw/dynamic_world_{year}_*.tif"}),
        (["ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"],
         {"role": "lc", "profile": "esa_worldcover_2021_v200", "source": "ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"}),
        (["N06W008_ESACCI-BIOMASS-L4-AGB_SD-MERGED-100m-2020-fv6.0.tif"],
         {"role": "agb_sd", "profile": "esa_cci_agb_v6", "source": "N06W008_ESACCI-BIOMASS-L4-AGB_SD-MERGED-100m-{year}-fv6.0.tif"}),
        (["WDPA_Oct2025_Public_CIV.gpkg"], {"role": "wdpa", "profile": "wdpa", "source": "WDPA_Oct2025_Public_CIV.gpkg"}),
        (["cocoa_map_2022.tif"], {"role": "cocoa", "source": "cocoa_map_{year}.tif"}),
        (["radd_date.tif"], {"role": "radd", "source": "radd_date.tif"}),
        (["my_own_4.tif", "my_own_5.tif"], {"role": "", "source": "my_own_*.tif"}),
    ],
)  # fmt: skip
def test_names_of_products(names, entry, tmp_path):
    assert touch(tmp_path, *names) == [entry]


def test_a_glob_never_catches_another_file(tmp_path):
    """agb_2020.tif and agb_2021.tif beside agb_2020_old.txt are fine; a third raster of another role between them is not swept in."""
    entries = by_role(touch(tmp_path, "agb_2020.tif", "agb_2021.tif", "agb_sd_2020.tif", "agb_sd_2021.tif"))
    assert entries["agb"]["source"] == "agb_{year}.tif" and entries["agb_sd"]["source"] == "agb_sd_{year}.tif"
    two = touch(tmp_path / "b", "natural_forest_E.tif", "natural_forest_W.tif", "natural_forest_W.vrt")
    assert [entry["source"] for entry in two] == ["natural_forest_*.tif", "natural_forest_W.vrt"], "which of two is meant is the user's choice"
    entries = touch(tmp_path / "c", "soc_1.tif", "soc_2.tif", "soc_2_wdpa_.tif")
    assert {entry["role"]: entry["source"] for entry in entries} == {"soc": ["soc_1.tif", "soc_2.tif"], "wdpa": "soc_2_wdpa_.tif"}


def test_years_in_folders_and_files_outside(tmp_path):
    entries = touch(tmp_path / "a", "2020/pet_2020.tif", "2021/pet_2021.tif")
    assert entries == [{"role": "pet", "source": "{year}/pet_{year}.tif"}]
    inside = tmp_path / "project"
    inside.mkdir()
    outside = suggest_entries([str(tmp_path / "a" / "2020" / "pet_2020.tif")], str(inside))
    assert outside[0]["source"] == (tmp_path / "a" / "{year}" / "pet_{year}.tif").as_posix()


def test_suggestions_with_a_profile_are_valid_entries(tmp_path):
    entries = touch(tmp_path, "JRC_GFC2020_V4_N10_W10.tif", "Hansen_GFC-2024-v1.12_lossyear_10N_010W.tif", "dynamic_world_2020.tif",
                    "dynamic_world_2021.tif", "terraclimate_ppt_2020.tif", "ESACCI-BIOMASS-L4-AGB-MERGED-100m-2020-fv6.0.tif")  # fmt: skip
    datasets = datasets_from_dict({"datasets": entries}, str(tmp_path / "d.json"))
    assert {entry.role for entry in datasets.entries} == {"forest_2020", "glad", "dynamic_world", "precipitation", "agb"}
    assert datasets.one("dynamic_world").bound_years == (2020, 2021) and datasets.one("glad").years == (2001, 2024)
