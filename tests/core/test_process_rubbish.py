"""Rubbish in: an error that says what to do and stages nothing, or a row with a named reason; never an exception nor a null without a word."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from shapely.geometry import box, mapping

from epoch_plugin.core.batch import BatchRequest
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import EpochError, InputError
from epoch_plugin.core.process import ProcessRequest, process_plots
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.staging import StageRequest
from epoch_plugin.core.store.store import Store
from tests.core.deforestation_scene import LOSS_YEAR, X0, Y0, YES_NO, D, cells
from tests.core.raster_files import write_datasets, write_tif

FOUR = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")
YEARS = (2020, 2021, 2022, 2023)
# statistic -> fields that must not be null without a reason
FIGURES = {
    "eudr_deforestation": ("deforestation_alert", "detected_area"),
    "luc_emissions": ("luc_tco2eyear", "biogenic_tco2eyear", "soc_tco2eyear"),
    "biodiversity": ("diversity_score", "uncertainty_sd"),
    "water": ("water_stress_index", "precipitation_pet_ratio", "soil_moisture_percentile", "evapotranspiration_anomaly"),
}
# role -> the figure that goes without it, and the reason that says so
WITHOUT = {
    "forest_2020": ("eudr_deforestation", "deforestation_alert", "missing_layer:forest_2020"),
    "glad": ("eudr_deforestation", "deforestation_alert", "missing_layer:detection"),
    "agb": ("luc_emissions", "biogenic_tco2eyear", "missing_layer:agb"),
    "soc": ("luc_emissions", "soc_tco2eyear", "missing_layer:soc"),
    "chm": ("biodiversity", "diversity_score", "missing_layer:chm"),
    "precipitation": ("water", "precipitation_pet_ratio", "missing_layer:precipitation"),
    "pet": ("water", "precipitation_pet_ratio", "missing_layer:pet"),
    "et": ("water", "evapotranspiration_anomaly", "missing_layer:et"),
    "soil_moisture": ("water", "soil_moisture_percentile", "missing_layer:soil_moisture"),
    "water_stress": ("water", "water_stress_index", "missing_layer:water_stress"),
}
NO_DATA = {**{role: f"no_data:{role}" for role in ("agb", "soc", "chm", "water_stress")},
           **{role: f"no_window_year:{role}" for role in ("precipitation", "pet", "et", "soil_moisture")},
           "forest_2020": "not_assessed:coverage", "glad": "not_assessed:coverage"}  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Layers of every role, and the same without a single value."""
    folder = tmp_path_factory.mktemp("scene")

    def tif(name, value, kind="float32", **more):
        write_tif(folder / f"{name}.tif", np.full((40, 40), value, kind), X0, Y0, D, **more)
        return f"{name}.tif"

    tif("empty", np.nan, nodata=np.nan), tif("byte_empty", 255, "uint8", nodata=255)
    values = {"agb": 100, "soc": 50, "chm": 12, "precipitation": 900, "pet": 1200, "et": 700, "soil_moisture": 0.3}
    units = {"agb": "Mg/ha", "chm": "m", "precipitation": "mm", "pet": "mm", "et": "mm"}
    entries = {
        role: {"role": role, "sources": {str(y): tif(f"{role}_{y}", value + (y % 5) * value / 50) for y in range(2015, 2024)},
               **({"unit": units[role]} if role in units else {})}
        for role, value in values.items()
    }  # fmt: skip
    entries["forest_2020"] = {"role": "forest_2020", "source": tif("forest", 1, "uint8"), "encoding": YES_NO, "year": 2020}
    entries["glad"] = {"role": "glad", "source": tif("loss", 0, "uint8"), "encoding": {**LOSS_YEAR, "none": 0}, "years": [2001, 2025]}
    entries["water_stress"] = {"role": "water_stress", "source": tif("stress", 2.5)}
    return folder, entries


class Run:
    """One batchprocess over two plots on the layers and one far beyond them."""

    def __init__(self, scene, folder, entries=None, plots=None, stats=FOUR, window=("2020-12-31", "2023-12-31"), settings=None, **request):
        shapes = [cells(5, 5, 9, 9), cells(20.5, 20.5, 25, 26), box(40, 40, 40.001, 40.001)]
        found = [{"type": "Feature", "properties": {"plotid": f"P{n}"}, "geometry": mapping(shape)} for n, shape in enumerate(shapes)]
        text = json.dumps({"type": "FeatureCollection", "features": found}) if plots is None else plots
        (folder / "plots.geojson").write_text(text, encoding="utf-8")
        self.store = Store(folder / "store.gpkg")
        datasets = write_datasets(scene[0], *(entries if entries is not None else scene[1].values()))
        start, end = map(dt.date.fromisoformat, window)
        more = {name: request.pop(name) for name in ("non_biomass",) if name in request}
        batch = BatchRequest("", end, datasets, stats, start, settings=Settings.from_dict(settings or {}), **more)
        wanted = ProcessRequest(StageRequest("Rubbish", crop_type="cocoa"), batch, validate_locations=False, **request)
        self.result = process_plots(self.store, open_source(str(folder / "plots.geojson")), wanted, NoProgress())
        assert self.result.status == "completed"

    def rows(self, statistic):
        """The plots' rows, reasons as a set of codes; a null figure has one."""
        with self.store.reading() as connection:
            sql = f"SELECT s.* FROM stat_{statistic} s JOIN plots p ON p.uuid = s.uuid ORDER BY p.plotid"
            found = [dict(row) for row in connection.execute(sql)]
        assert len(found) == 3
        for row in found:
            row["reasons"] = {item["code"] for item in json.loads(row["reasons"])}
            assert row["reasons"] or all(row[name] is not None for name in FIGURES[statistic]), (statistic, row)
        return found


def nothing_staged(folder):
    with Store(folder / "store.gpkg").reading() as connection:
        return connection.execute("SELECT count(*) FROM collections").fetchone()[0] == 0


def test_all_four_at_once_and_a_plot_beyond_every_layer(scene, tmp_path):
    run = Run(scene, tmp_path)
    for statistic, fields in FIGURES.items():
        *near, far = run.rows(statistic)
        assert all(far[name] is None for name in fields), statistic
        told = [name for name in fields if near[0][name] is not None]
        assert told == [name for name in fields if near[1][name] is not None] and told


@pytest.mark.parametrize("role", WITHOUT)
def test_one_layer_missing_is_a_reason_and_harms_no_other_figure(scene, tmp_path, role):
    statistic, figure, code = WITHOUT[role]
    run = Run(scene, tmp_path, [entry for name, entry in scene[1].items() if name != role])
    for name in FOUR:
        rows = run.rows(name)
        if name == statistic:
            assert all(row[figure] is None and code in row["reasons"] for row in rows)
        elif name != "luc_emissions" or role not in ("forest_2020", "glad"):  # conversions come from the deforestation check here
            assert all(rows[0][other] is not None for other in FIGURES[name])


@pytest.mark.parametrize("role", NO_DATA)
def test_a_layer_without_a_single_value_is_a_reason(scene, tmp_path, role):
    statistic, figure, _ = WITHOUT[role]
    entry = scene[1][role]
    if "sources" in entry:
        entry = {**entry, "sources": {str(year): "empty.tif" for year in range(2015, 2024)}}
    else:
        entry = {**entry, "source": "empty.tif" if role == "water_stress" else "byte_empty.tif"}
    run = Run(scene, tmp_path, [entry if name == role else other for name, other in scene[1].items()])
    for row in run.rows(statistic):
        assert row[figure] is None and NO_DATA[role] in row["reasons"], row


@pytest.mark.parametrize("window", [("1990-12-31", "1995-12-31"), ("2040-12-31", "2045-12-31"), ("2022-06-01", "2022-06-02")])
def test_windows_beside_the_layers(scene, tmp_path, window):
    run = Run(scene, tmp_path, window=window)
    inside = window[0].startswith("2022")
    for role in ("glad", "chm", "pet"):
        statistic, figure, _ = WITHOUT[role]
        assert (run.rows(statistic)[0][figure] is not None) == inside
    if not inside:
        assert "one_stock_year" in run.rows("luc_emissions")[0]["reasons"] and "no_window_year:chm" in run.rows("biodiversity")[0]["reasons"]


@pytest.mark.parametrize("stats", [(name,) for name in FOUR])
def test_a_window_of_centuries_is_refused_before_anything_is_staged(scene, tmp_path, stats):
    with pytest.raises(InputError, match=r"counts 173 years: give a START_DATE at most 60 years before"):
        Run(scene, tmp_path, stats=stats, window=("1850-12-31", "2023-12-31"))
    assert nothing_staged(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "FeatureCollection", "features": []}', "holds no features"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": null}]}', "there is no geometry"),
        ("{", "not valid GeoJSON"),
        ("", "is empty"),
    ],
)
def test_empty_collections_are_refused(scene, tmp_path, text, words):
    with pytest.raises(EpochError, match=words):
        Run(scene, tmp_path, plots=text)
    assert nothing_staged(tmp_path)


WRONG_TYPES = [
    ("agb", {"encoding": {"kind": "classes", "class_map": {"1": "natural"}}}, r"needs continuous.*\"continuous\""),
    ("agb", {"unit": "mm"}, "Allowed: Mg/ha"),
    ("chm", {"encoding": YES_NO}, "needs continuous"),
    ("glad", {"encoding": {"kind": "continuous"}}, r"needs loss_year.*\"loss_year\""),
    ("forest_2020", {"encoding": {"kind": "continuous"}}, "needs mask"),
    ("water_stress", {"encoding": {"kind": "alert_date", "packing": "yyddd"}}, "needs continuous"),
]


@pytest.mark.parametrize(("role", "changes", "words"), WRONG_TYPES)
def test_layers_of_a_wrong_kind_are_refused_before_anything_is_staged(scene, tmp_path, role, changes, words):
    with pytest.raises(InputError, match=words):
        Run(scene, tmp_path, [{**entry, **changes} if name == role else entry for name, entry in scene[1].items()])
    assert nothing_staged(tmp_path)


@pytest.mark.parametrize("role", ["agb", "chm", "precipitation", "glad"])
@pytest.mark.parametrize(("name", "words"), [("gone.tif", "does not exist"), ("text.tif", "GDAL cannot read"), ("plain.geojson", "vector layer")])
def test_files_that_are_no_rasters_are_named(scene, tmp_path, role, name, words):
    (scene[0] / "text.tif").write_text("no raster")
    square = {"type": "Feature", "properties": {}, "geometry": mapping(cells(0, 0, 9, 9))}
    (scene[0] / "plain.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [square]}))
    entry = scene[1][role]
    entry = {**entry, **({"sources": {"2021": name, "2023": name}} if "sources" in entry else {"source": name})}
    with pytest.raises(EpochError, match=rf"'{role}'.*{words}"):
        Run(scene, tmp_path, [entry if other == role else each for other, each in scene[1].items()])


DEEP = '{"a":' * 3000  # Python's decoder gives up at a depth that differs from version to version
UREA = '{"type": "urea", "application_rate": {"value": %s, "unit": "kg/ha"}}'
PAYLOADS = [
    ("{", "not JSON"), ("[]", "neither a JSON object nor a file"), ("null", "neither"), ('"x"', "neither"), ("[" * 100_000, "INPUT_PAYLOAD"),
    (DEEP, "not JSON"), (DEEP + "1" + "}" * 3000, "nested too deeply"), ('{"a":' * 150 + "1" + "}" * 150, "nested too deeply"),
    ("{}", "needs INPUT_PAYLOAD"), (" ", "needs INPUT_PAYLOAD"), ('{"cft_payload": 3}', "must be an object"),
    ('{"cft_payload": null}', "must be an object"), ('{"unknown": {}}', "unknown key"), ('{"cft_payload": {"fertilisers": "x"}}', "must be a list"),
    ('{"cft_payload": {}, "cft_payload": {"fertilisers": []}}', "'cft_payload' is there twice"),
    *((f'{{"cft_payload": {{"fertilisers": [{UREA % value}]}}}}', r"fertilisers\[0\]\.application_rate\.value")
      for value in ("NaN", "Infinity", "1e400", "true", '"5"', "-1")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), PAYLOADS, ids=[text[:40] for text, _ in PAYLOADS])
def test_malformed_payloads_are_refused_before_anything_is_staged(scene, tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        Run(scene, tmp_path, stats=("water",), non_biomass=True, input_payload=text)
    assert nothing_staged(tmp_path)


def test_payloads_in_files_that_hold_something_else(scene, tmp_path):
    with pytest.raises(InputError, match="is not JSON"):
        Run(scene, tmp_path, stats=("water",), non_biomass=True, input_payload=str(scene[0] / "agb_2020.tif"))
    with pytest.raises(InputError, match="neither a JSON object nor a file"):
        Run(scene, tmp_path, stats=("water",), non_biomass=True, input_payload=str(scene[0]))
    run = Run(scene, tmp_path, stats=("water",), non_biomass=True, input_payload='\ufeff\n {"cft_payload": {}}')
    with run.store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM stat_non_biomass").fetchone()[0] == 0  # nothing stated, nothing claimed


SETTINGS = [
    ({"rao_window": 4}, "odd"), ({"rao_window": 1}, "from 3"), ({"rao_window": 9999}, "to 501"), ({"rao_window": float("inf")}, "whole number"),
    ({"rao_window": True}, "whole number"), ({"rao_alpha": 0}, "from 0.1"), ({"rao_alpha": 1e6}, "to 100"), ({"rho": None}, "must be a number"),
    ({"root_shoot": float("inf")}, "must be a number"), ({"carbon_fraction": 0}, "from 0.01"), ({"reference_years": "abc"}, "years joined by commas"),
    ({"connectivity_radius_m": 1e9}, "m at most"), ({"gwp": "AR9"}, "AR4, AR5, AR6"), ({"factor_set": "x"}, "ipcc_2006"),
    ({"nonsense": 1}, "Unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "words"), SETTINGS)
def test_settings_that_cannot_be_meant_are_refused(scene, tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        Run(scene, tmp_path, settings=settings)
