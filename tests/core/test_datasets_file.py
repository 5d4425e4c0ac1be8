"""The datasets file: what it accepts, what it refuses and how it says so; profiles; round trip."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
import re
import sys
from pathlib import Path

import pytest

from epoch_plugin.core.datasets.datasets_file import Datasets, Entry, datasets_from_dict, load_datasets
from epoch_plugin.core.datasets.encoding_json import parse_encoding
from epoch_plugin.core.datasets.encodings import AlertDateEncoding, ClassesEncoding, ContinuousEncoding, LossYearEncoding, MaskEncoding
from epoch_plugin.core.datasets.extra_stats import parse_stat
from epoch_plugin.core.datasets.profiles import FOLDER, load_profile, profile_ids
from epoch_plugin.core.datasets.roles import ROLES
from epoch_plugin.core.errors import InputError

CONTRACT_EXAMPLE = {
    "datasets": [
        {"role": "forest_2020", "profile": "jrc_gfc2020_v3", "source": "JRC_GFC2020_V3.tif"},
        {
            "role": "glad", "profile": "hansen_gfc", "source": "Hansen_GFC-2025-v1.13_lossyear_*.tif", "years": [2001, 2025],
            "mask": {"source": "Hansen_treecover2000_*.tif", "min": 10},
        },
        {"role": "tmf", "profile": "jrc_tmf_annual_change", "sources": {"2020": "tmf/Dec2020.tif", "2021": "tmf/Dec2021.tif"}},
        {"role": "agb", "sources": {"2020": "agb_2020.tif", "2023": "agb_2023.tif"}, "unit": "Mg/ha"},
        {"role": "precipitation", "sources": {"2018": ["p01.tif", "p02.tif"]}, "combine": "sum", "unit": "mm"},
        {"role": "wdpa", "source": "wdpa.gpkg", "layer": "polygons", "where": "STATUS <> 'Proposed'"},
        {"role": "cocoa", "source": "cocoa_probability.tif", "year": 2020, "encoding": {"kind": "mask", "min": 0.5}},
        {"role": "my_layer", "source": "anything.tif", "band": 3, "stats": ["mean", "p90", "sum", "area>0.5"]},
    ]
}  # fmt: skip


def parsed(*entries: dict) -> Datasets:
    return datasets_from_dict({"datasets": list(entries)}, str(Path("/data/d.json")))


def one(**keys) -> Entry:
    return parsed(keys).entries[0]


GLAD = {"role": "glad", "source": "a.tif", "years": [2001, 2023], "encoding": {"kind": "loss_year", "offset": 2000}}
MASK = {"kind": "mask", "values": [1]}


def test_example_of_the_contract(tmp_path):
    path = tmp_path / "datasets.json"
    path.write_text(json.dumps(CONTRACT_EXAMPLE, indent=1))
    datasets = load_datasets(str(path))
    forest, glad, tmf, agb, rain, wdpa, cocoa, extra = datasets.entries
    assert (forest.encoding, forest.year) == (MaskEncoding((1,), none=(0,), sentinels=(255,)), 2020)
    assert (glad.encoding, glad.years) == (LossYearEncoding(2000, (0,)), (2001, 2025))
    assert glad.mask is not None
    assert (glad.mask.encoding, glad.mask.source.files) == (MaskEncoding(min=10), (str(tmp_path / "Hansen_treecover2000_*.tif"),))
    assert isinstance(tmf.encoding, ClassesEncoding)
    assert (tmf.encoding.forest, tmf.bound_years, tmf.series, tmf.detection) == ((1, 2), (2020, 2021), True, True)
    assert (agb.unit, agb.encoding) == ("Mg/ha", ContinuousEncoding(None, None))
    assert (rain.sources[0].combine, len(rain.sources[0].files), rain.year) == ("sum", 2, 2018)
    assert (wdpa.sources[0].vector, wdpa.sources[0].layer, wdpa.encoding) == (True, "polygons", MaskEncoding((1,), none=(0,)))
    assert (cocoa.year, cocoa.encoding) == (2020, MaskEncoding(min=0.5))
    assert (extra.extra, extra.sources[0].band, [stat.name for stat in extra.stats]) == (True, 3, ["mean", "p90", "sum", "area>0.5"])
    assert forest.sources[0].files == (str(tmp_path / "JRC_GFC2020_V3.tif"),)
    assert [entry.role for entry in datasets.detection] == ["glad", "tmf"]
    assert datasets.extras == (extra,)
    assert pickle.loads(pickle.dumps(datasets)) == datasets


def test_round_trip_keeps_what_was_read():
    datasets = datasets_from_dict(CONTRACT_EXAMPLE, "/data/d.json")
    assert datasets.to_dict() == CONTRACT_EXAMPLE
    edited = datasets.to_dict()
    edited["datasets"][1]["years"] = [2001, 2024]
    assert datasets.to_dict() == CONTRACT_EXAMPLE  # a copy was edited
    again = datasets_from_dict(edited, "/data/d.json")
    assert again.entries[1].years == (2001, 2024)
    expected = copy.deepcopy(CONTRACT_EXAMPLE)
    expected["datasets"][1]["years"] = [2001, 2024]  # type: ignore[index]
    assert again.to_dict() == expected


def test_errors_name_line_entry_and_key(tmp_path):
    path = tmp_path / "d.json"
    path.write_text('{"title": "a, [b]",\n "datasets": [\n  {"role": "cocoa", "source": "a.tif", "encoding": {"kind": "mask", "min": 1}},\n'
                    '  {"role": "palm",\n   "sorce": "b.tif"}\n]}')  # fmt: skip
    with pytest.raises(InputError, match=r"entry 2 \('palm'\), line 4: unknown key 'sorce'. Did you mean 'source'\?"):
        load_datasets(str(path))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"datasets": [}', "line 1, column 15: not JSON"),
        ("", "line 1, column 1: not JSON"),
        ('{"datasets": [{"role": "glad", "role": "tmf"}]}', "'role' stands twice"),
        ('{"datasets": [{"role": "agb", "nodata": NaN}]}', "NaN is no JSON"),
        ("[]", r"must be a JSON object"),
        ('{"dataset": []}', "unknown key 'dataset'. Did you mean 'datasets'"),
        ('{"datasets": []}', "at least one entry"),
        ('{"datasets": ["a.tif"]}', "entry 1.* must be a JSON object"),
    ],
)
def test_files_that_are_no_datasets_file(tmp_path, text, problem):
    path = tmp_path / "d.json"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        load_datasets(str(path))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_datasets(str(tmp_path / "gone.json"))
    (tmp_path / "latin.json").write_bytes(b'{"title": "\xe9"}')
    with pytest.raises(InputError, match="not UTF-8"):
        load_datasets(str(tmp_path / "latin.json"))


def test_byte_order_mark_is_read_over(tmp_path):
    (tmp_path / "d.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(CONTRACT_EXAMPLE).encode())
    assert len(load_datasets(str(tmp_path / "d.json")).entries) == 8


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"source": "a.tif"}, "key 'role': is missing"),
        ({"role": "forest2020", "source": "a.tif"}, "Did you mean 'forest_2020'"),
        ({"role": "Glad", "source": "a.tif", "stats": ["mean"]}, "is written 'glad'"),
        ({"role": "agb_2020", "source": "a.tif", "unit": "Mg/ha"}, '"role": "agb" and "year": 2020'),
        ({"role": "my layer", "source": "a.tif", "stats": ["mean"]}, "letters, digits"),
        ({"role": "mine", "source": "a.tif"}, "needs 'stats'"),
        ({"role": "mine", "source": "a.tif", "stats": ["avg"]}, "'avg' is no statistic"),
        ({"role": "mine", "source": "a.tif", "stats": []}, "key 'stats'"),
        ({"role": "mine", "source": "a.tif", "theme": "detektion"}, "Did you mean 'detection'"),
        ({"role": "mine", "source": "a.tif", "themes": ["treecovr"]}, "Did you mean 'treecover'"),
        ({"role": "glad", "profile": "hansen", "source": "a.tif"}, "no profile 'hansen'. Did you mean hansen_gfc"),
        ({"role": "glad", "profile": "hansen_gfc", "source": "lossyear.tif"}, "key 'years': is missing .*not in the file name"),
        ({**GLAD, "years": [2023, 2001]}, "key 'years'"),
        ({**GLAD, "years": None}, "key 'years'"),
        ({**GLAD, "until": "2023-01-01"}, "dated alerts only"),
        ({**GLAD, "sources": {"2001": "a.tif"}}, "either 'source' or 'sources'"),
        ({"role": "glad", "years": [2001, 2023], "encoding": GLAD["encoding"]}, "either 'source' or 'sources'"),
        ({**{k: v for k, v in GLAD.items() if k != "source"}, "sources": {"2001": "a.tif", "2002": "b.tif"}}, "holds the whole record"),
        ({**GLAD, "band": 0}, "key 'band': must be a whole number"),
        ({**GLAD, "band": True}, "key 'band'"),
        ({**GLAD, "mask": {"min": 10}}, "key 'mask', key 'source': is missing"),
        ({**GLAD, "mask": {"source": "t.tif"}}, "either values or min/max"),
        ({**GLAD, "mask": {"source": "t.tif", "mn": 10}}, "unknown key 'mn'. Did you mean 'min'"),
        ({**GLAD, "encoding": {"kind": "lossyear"}}, "Did you mean 'loss_year'"),
        ({**GLAD, "encoding": {"kind": "loss_year", "offest": 2000}}, "Did you mean 'offset'"),
        ({**GLAD, "encoding": {"kind": "continuous"}}, "is of kind 'continuous', but this role needs"),
        ({**GLAD, "encoding": {"kind": "loss_year", "none": 0}, "nodata": 0}, "also the value that means 'looked, found none'"),
        ({"role": "forest_2020", "source": "a.tif"}, "key 'encoding': is missing"),
        ({"role": "forest_2020", "source": "a.tif", "encoding": {"kind": "mask"}}, "a mask needs values, min or max"),
        ({"role": "forest_2020", "source": "a.tif", "encoding": {"kind": "mask", "min": 2, "max": 1}}, "greater than max"),
        ({"role": "forest_2020", "profile": "esa_worldcover_2020_v100", "source": "a.tif"}, "is of kind 'classes'"),
        ({"role": "forest_2020", "sources": {"2020": "a.tif", "2021": "b.tif"}, "encoding": MASK}, "this role is one layer"),
        ({"role": "forest_2020", "source": "a.tif", "encoding": MASK, "nodata": "none"}, "key 'nodata': must be a number"),
        ({"role": "forest_2020", "source": "a.tif", "encoding": MASK, "combine": "sum"}, "cannot be combined"),
        ({"role": "tmf", "source": "a.tif", "encoding": {"kind": "classes"}, "year": 2020}, 'need "forest"'),
        ({"role": "tmf", "source": "a.tif", "profile": "jrc_tmf_annual_change"}, "one layer per year"),
        ({"role": "lc", "source": "a.tif", "year": 2020, "encoding": {"kind": "classes", "class_map": {"1": "forest"}}}, "natural, managed, other"),
        ({"role": "lc", "source": "a.tif", "year": 2020, "encoding": {"kind": "classes", "class_map": {"tree": "natural"}}}, "no class value"),
        ({"role": "agb", "source": "a.tif", "year": 2020}, "key 'unit': is missing"),
        ({"role": "agb", "source": "a.tif", "year": 2020, "unit": "t/ha"}, "key 'unit'"),
        ({"role": "agb", "source": "a.tif", "unit": "Mg/ha"}, "one layer per year"),
        ({"role": "agb", "sources": {"twenty": "a.tif"}, "unit": "Mg/ha"}, "'twenty' is no year"),
        ({"role": "agb", "sources": {"2020": []}, "unit": "Mg/ha"}, "key '2020'"),
        ({"role": "agb", "sources": {"2020": "a.tif"}, "year": 2020, "unit": "Mg/ha"}, "leave 'year' out"),
        ({"role": "agb", "source": "agb_{year}.tif", "unit": "Mg/ha"}, "no file matches"),
        ({"role": "wdpa", "source": ["a.gpkg", "b.gpkg"]}, "one source"),
        ({"role": "wdpa", "source": "a.gpkg|layername=x", "layer": "y"}, "contradicts"),
        ({"role": "wdpa", "source": "a.gpkg", "band": 1}, "does not apply to a vector"),
        ({"role": "radd", "source": "a.tif", "profile": "radd"}, "key 'until': is missing"),
        ({"role": "radd", "source": "a.tif", "profile": "radd", "until": "1.6.2025"}, "no date"),
        ({"role": "radd", "source": "a.tif", "profile": "radd", "until": "2019-06-01"}, "would end in 2019, before it starts in 2020"),
        ({"role": "radd", "source": "a.tif", "years": [2020, 2024], "encoding": {"kind": "alert_date", "packing": "ddmm"}}, "'ddmm' is not known"),
        ({"role": "radd", "source": "a.tif", "years": [2020, 2024], "encoding": {"kind": "alert_date", "packing": "days_since"}}, "not known"),
        ({"role": "radd", "source": "a.tif", "years": [2020, 2024], "encoding": {"kind": "alert_date", "packing": "yyddd", "min_confidence": 3}},
         "carry no confidence"),
    ],
)  # fmt: skip
def test_what_is_refused(keys, problem):
    with pytest.raises(InputError, match=problem) as caught:
        parsed(keys)
    assert "entry 1" in str(caught.value)


def test_two_answers_to_one_question_are_refused():
    with pytest.raises(InputError, match="'glad' is already bound by entry 1"):
        parsed(GLAD, GLAD)
    cocoa = {"role": "cocoa", "source": "a.tif", "encoding": {"kind": "mask", "min": 0.5}}
    with pytest.raises(InputError, match="'cocoa' of 2020 is already bound"):
        parsed({**cocoa, "year": 2020}, {**cocoa, "year": 2020})
    assert len(parsed({**cocoa, "year": 2020}, {**cocoa, "year": 2023}).by_role("cocoa")) == 2
    extra = {"role": "mine", "source": "a.tif", "stats": ["mean"]}
    with pytest.raises(InputError, match="'mine' is already bound"):
        parsed(extra, extra)


def test_encoding_keys_of_the_entry_lie_over_the_profile():
    item = one(role="cocoa", profile="fdap_cocoa", source="a.tif", year=2023, encoding={"min": 0.6})
    assert item.encoding == MaskEncoding(min=0.6)
    item = one(role="palm", profile="fdap_palm", source="a.tif", year=2023, encoding={"values": [1]})
    assert item.encoding == MaskEncoding(values=(1,))
    item = one(role="forest_2020", profile="esa_worldcover_2020_v100", source="a.tif", encoding={"kind": "mask", "values": [10]})
    assert (item.encoding, item.year, item.nodata.value) == (MaskEncoding((10,)), 2020, 0)
    item = one(role="timber", profile="jrc_gft2020_v1", source="a.tif")
    assert isinstance(item.encoding, MaskEncoding) and item.encoding.values == (20,)
    item = one(role="radd", profile="radd_gfw", source="a.tif", until="2025-06-30", encoding={"min_confidence": 3})
    assert isinstance(item.encoding, AlertDateEncoding)
    assert (item.encoding.packing, item.encoding.min_confidence, item.encoding.base) == ("conf_days_since", 3, dt.date(2014, 12, 31))
    assert (item.years, item.until) == ((2020, 2025), dt.date(2025, 6, 30))


def test_confidence_of_days_since_is_the_first_digit():
    encoding = parse_encoding({"kind": "alert_date", "packing": "days_since:2014-12-31", "min_confidence": 3}, "here", False)
    assert encoding == AlertDateEncoding("conf_days_since", dt.date(2014, 12, 31), 3)


def test_last_year_of_hansen_comes_from_the_file_name():
    name = "Hansen_GFC-2024-v1.12_lossyear_10N_010W.tif"
    assert one(role="glad", profile="hansen_gfc", source=name).years == (2001, 2024)
    assert one(role="glad", profile="hansen_gfc", source=name, years=[2001, 2023]).years == (2001, 2023)
    with pytest.raises(InputError, match="end in 2025, but by its name the file ends in 2024"):
        one(role="glad", profile="hansen_gfc", source=name, years=[2001, 2025])
    with pytest.raises(InputError, match="years"):  # two releases in one layer
        one(role="glad", profile="hansen_gfc", source=[name, name.replace("2024", "2023")])
    tmf = "JRC_TMF_DeforestationYear_INT_1982_2025_v1_SAM_ID28_N0_W80.tif"
    assert one(role="tmf", profile="jrc_tmf_deforestation_year", source=tmf).years == (1982, 2025)


def test_dated_alerts_without_until_end_with_their_last_year():
    item = one(role="radd", source="a.tif", years=[2020, 2023], encoding={"kind": "alert_date", "packing": "yyddd"})
    assert item.until == dt.date(2023, 12, 31)


def test_mask_without_a_year_is_undated_and_no_error():
    item = one(role="cocoa", source="a.tif", encoding=MASK)
    assert (item.year, item.sources[0].year) == (None, None)


def test_own_detection_system_and_themes():
    item = one(role="prodes", theme="detection", source="a.tif", years=[2008, 2024], encoding={"kind": "loss_year", "offset": 2000})
    assert item.detection and not item.extra
    item = one(role="logging", source="a.tif", themes=["logging_concession_before_2020"], encoding=MASK)
    assert not item.extra and not item.detection


def test_defaults_of_context_roles():
    gfc = {"role": "forest_2020", "profile": "jrc_gfc2020_v4", "source": "a.tif"}
    tmf = {"role": "tmf", "profile": "jrc_tmf_annual_change", "sources": {"2020": "t20.tif", "2021": "t21.tif"}}
    datasets = parsed(gfc, tmf)
    jrc, forest = datasets.one("jrc_forest"), datasets.one("tmf_forest")
    assert jrc is not None and (jrc.role, jrc.sources) == ("jrc_forest", datasets.entries[0].sources)
    assert forest is not None and (forest.encoding, forest.year, len(forest.sources)) == (MaskEncoding((1, 2)), 2020, 1)
    assert datasets.one("wdpa") is None
    assert parsed({"role": "forest_2020", "source": "a.tif", "encoding": MASK}).one("jrc_forest") is None
    assert parsed({**tmf, "sources": {"2021": "t21.tif", "2022": "t22.tif"}}).one("tmf_forest") is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.tif", "/data/a.tif"),
        ("../b/a.tif", "/b/a.tif"),
        ("/x/a.tif", "/x/a.tif"),
        ("/vsizip/t.zip/a.tif", "/vsizip//data/t.zip/a.tif"),
        ("/vsizip//x/t.zip/a.tif", "/vsizip//x/t.zip/a.tif"),
        ("/vsizip/{t.zip}/a.tif", "/vsizip/{/data/t.zip}/a.tif"),
        ("/vsizip//vsicurl/https://host.example/t.zip/a.tif", "/vsizip//vsicurl/https://host.example/t.zip/a.tif"),
        ("/vsicurl/https://host.example/a.tif", "/vsicurl/https://host.example/a.tif"),
        ("https://host.example/a.tif", "/vsicurl/https://host.example/a.tif"),
        ('NETCDF:"p.nc":ppt', 'NETCDF:"/data/p.nc":ppt'),
        (r"C:\maps\a.tif", r"C:\maps\a.tif"),
    ],
)
def test_paths_are_relative_to_the_file(path, expected):
    assert one(**{**GLAD, "source": path}).sources[0].files == (expected,)


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_profile_is_complete(profile_id):
    profile = load_profile(profile_id)
    assert profile.id == profile_id == json.loads((FOLDER / f"{profile_id}.json").read_text(encoding="utf-8"))["id"]
    assert profile.version >= 1 and profile.caveats
    for text in (profile.title, profile.product_version, profile.publisher, profile.licence, profile.citation, profile.get_it, profile.resolution):
        assert len(text) > 1
    assert set(profile.roles) <= set(ROLES)
    for role in (*profile.roles, *profile.role_encodings):
        encoding = parse_encoding(profile.encoding_for(role), profile_id, False)
        kinds = ROLES[role].kinds
        assert encoding.kind in kinds
        assert not profile.unit or not ROLES[role].units or profile.unit in ROLES[role].units


def test_profiles_that_the_issue_asks_for():
    asked = {
        "jrc_gfc2020_v2", "jrc_gfc2020_v3", "jrc_gfc2020_v4", "jrc_gft2020_v1", "hansen_gfc", "jrc_tmf_annual_change", "jrc_tmf_deforestation_year",
        "dynamic_world_annual", "radd", "esa_worldcover_2020_v100", "esa_worldcover_2021_v200", "lc100_v3", "wdpa",
        "fdap_palm", "fdap_cocoa", "fdap_rubber", "fdap_coffee",
    }  # fmt: skip
    assert asked <= set(profile_ids())


def test_zero_is_an_answer_in_forest_and_loss_profiles():
    for profile_id in ("jrc_gfc2020_v2", "jrc_gfc2020_v3", "jrc_gfc2020_v4", "jrc_gft2020_v1", "hansen_gfc", "jrc_tmf_deforestation_year", "radd"):
        assert 0 in parse_encoding(load_profile(profile_id).encoding, profile_id, False).none


@pytest.mark.parametrize(
    ("text", "kind", "q", "operator", "threshold"),
    [
        ("mean", "mean", 0, "", 0),
        ("median", "quantile", 0.5, "", 0),
        ("p90", "quantile", 0.9, "", 0),
        ("p5", "quantile", 0.05, "", 0),
        ("p100", "quantile", 1.0, "", 0),
        ("area==3", "area", 0, "==", 3),
        ("area>0.5", "area", 0, ">", 0.5),
        ("area >= -1e3", "area", 0, ">=", -1000),
        ("area<.5", "area", 0, "<", 0.5),
    ],
)
def test_grammar_of_stats(text, kind, q, operator, threshold):
    stat = parse_stat(text, "here")
    assert (stat.kind, stat.q, stat.operator, stat.threshold) == (kind, q, operator, threshold)


@pytest.mark.parametrize("text", ["p101", "p", "area=3", "area<=3", "area>", "area>x", "p90 or 1=1", ""])
def test_what_is_no_statistic(text):
    with pytest.raises(InputError, match="is no statistic"):
        parse_stat(text, "here")


def test_the_page_lists_every_role_and_every_profile_with_its_roles():
    page = (Path(__file__).resolve().parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| ([^|]+) \| ([^|]*) \|$", page.split("## Profiles")[1], re.MULTILINE)
    assert {name: (title, tuple(re.findall(r"`([a-z]\w+)`", roles))) for name, title, roles in rows} == {
        name: (load_profile(name).title, load_profile(name).roles) for name in profile_ids()
    }
    assert [role for role in ROLES if not re.search(rf"\b{role}\b", page)] == []
