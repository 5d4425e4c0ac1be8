"""Staging and uploading: all or nothing, once, and never silently."""

import hashlib
import json
import os
import zipfile

import numpy as np
import pytest

from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.collections.shapes import Shape, shape_wkb
from epoch_plugin.core.collections.source import PlotSource, SourceFeature
from epoch_plugin.core.errors import CancelledError, InputError, NotFoundError
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots, upload_plots
from epoch_plugin.core.store import collections, plots
from epoch_plugin.core.store.store import Store

RING = [[-5.0, 6.0], [-4.99, 6.0], [-4.99, 6.01], [-5.0, 6.01], [-5.0, 6.0]]
WKT = "POLYGON ((-5 6,-4.99 6,-4.99 6.01,-5 6.01,-5 6))"


class Listener(NoProgress):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.gpkg")


def contents(store):
    """Everything that a user could see in the store."""
    with store.reading() as connection:
        rows = [tuple(r) for t in ("collections", "plots", "batch_jobs") for r in connection.execute(f"SELECT * FROM {t} ORDER BY fid")]
    return hashlib.sha256(repr(rows).encode()).hexdigest(), len(rows)


def geojson(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def feature(properties=None, ring=None):
    return {"type": "Feature", "properties": properties or {}, "geometry": {"type": "Polygon", "coordinates": [ring or RING]}}


def write_zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


def swapped(ring):
    return [[lat, lon] for lon, lat in ring]


# name, content (text, bytes or writer), what the message must hold
HOPELESS = [
    ("empty.geojson", "", "is empty"),
    ("blank.geojson", "  \n", "not GeoJSON"),
    ("nothing.geojson", geojson(), "holds no features"),
    ("picture.geojson", b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
    ("truncated.geojson", geojson(feature(), feature())[:-40], "truncated"),
    ("broken.geojson", '{"type":"FeatureCollection","features":[{"type":"Feature",,}]}' + " " * 200, "not valid GeoJSON after 0 complete features"),
    ("topo.json", '{"type":"Topology","objects":{},"arcs":[]}', "TopoJSON"),
    ("other.json", '{"hello": 1}', "a FeatureCollection, a Feature or a geometry is expected"),
    ("list.json", "[1, 2]", "not GeoJSON"),
    ("page.geojson", "<html>Login</html>", "not GeoJSON"),
    ("latin.geojson", geojson(feature({"n": "é"})).encode().replace(b"\\u00e9", b"\xe9"), "UTF-8"),
    ("swapped.geojson", geojson(feature(ring=swapped([[105.0, -6.0], [105.1, -6.0], [105.1, -6.1], [105.0, -6.0]]))), "swapped"),
    ("nan.geojson", geojson(feature(ring=[[float("nan"), 1], *RING[1:]])), "no finite number"),
    ("crossing.geojson", geojson(feature(ring=[RING[0], RING[2], RING[1], RING[3], RING[0]])), "crosses itself"),
    ("three.geojson", geojson(feature(ring=[RING[0], RING[1], RING[0]])), "at least 4"),
    ("text.geojson", geojson(feature(ring=[["a", "b"], *RING[1:]])), "not a number"),
    ("lines.geojson", geojson(feature() | {"geometry": {"type": "LineString", "coordinates": RING}}), "a line is not a plot"),
    ("nulls.geojson", geojson({"type": "Feature", "properties": {}, "geometry": None}), "there is no geometry"),
    ("utm.geojson", geojson(feature(ring=[[278000, 663000], [278100, 663000], [278100, 663100], [278000, 663000]])), "projected metres"),
    ("empty.csv", "\n\n", "is empty"),
    ("header.csv", "plotid,lon,lat\n", "holds no features"),
    ("columns.csv", "a,b\n1,2\n", "Its columns are: a, b"),
    ("binary.csv", b"lon,lat\n\x00\x01,2\n", "NUL bytes"),
    ("dms.csv", 'id,lon,lat\n1,"5°12W","6°3N"\n', "not a number in decimal degrees"),
    ("evil.zip", lambda p: write_zip(p, ["../evil.shp", "../evil.dbf"]), "points outside the archive"),
    ("several.zip", lambda p: write_zip(p, ["a.shp", "b.shp"]), "holds 2 shapefiles"),
    ("docs.zip", lambda p: write_zip(p, ["readme.txt"]), "holds no shapefile"),
    ("broken.zip", b"PK\x03\x04" + bytes(50), "not a readable zip"),
    ("broken.gpkg", b"SQLite format 3\x00" + bytes(200), "cannot be read as GPKG"),
    ("broken.shp", bytes(100), "'.shx' is missing"),
    ("broken.kml", "<kml><Document><Placemark>", "cannot be read"),
    ("broken.xlsx", b"PK\x03\x04" + bytes(50), "cannot be read"),
    ("truncated.parquet", b"PAR1" + bytes(100), "not a readable Parquet file"),
    ("plots.docx", b"PK\x03\x04" + bytes(50), "zip archive"),
    ("plots.dwg", b"AC1027" + bytes(50), "are not read. Accepted: GeoJSON"),
]


@pytest.mark.parametrize("name, content, message", HOPELESS, ids=[h[0] for h in HOPELESS])
def test_bad_input_is_a_clear_error_and_leaves_the_store_as_it_was(tmp_path, store, name, content, message):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = contents(store)
    with pytest.raises(InputError) as error:
        stage_plots(store, open_source(str(path)), StageRequest("c"), NoProgress())
    assert message in str(error.value), str(error.value)
    assert name in str(error.value)
    assert contents(store) == before


def test_a_missing_file():
    with pytest.raises(InputError, match="There is no file"):
        open_source("/nowhere/at/all.geojson")


def test_one_bad_feature_does_not_stop_the_others(tmp_path, store):
    path = tmp_path / "p.geojson"
    bad = [RING[0], RING[2], RING[1], RING[3], RING[0]]
    first = feature({"plotid": "ok", "Farmer": "x", "farmer": "y", "facility_id": 12})
    path.write_text(geojson(first, feature({"plotid": "bow"}, bad), feature({"plotid": "ok2"})))
    listener = Listener()
    result = stage_plots(store, open_source(str(path)), StageRequest("c"), listener)
    assert result.plot_count == 2 and [b.plotid for b in result.invalid] == ["bow"] and result.report["rejected_reasons"] == {"self_crossing": 1}
    assert any("1 of 3 features are no valid plots" in w for w in listener.warnings)
    with store.reading() as connection:
        row = collections.find(connection, "c")
        stored = list(plots.of_collection(connection, row.collection_id))
    assert (row.plot_number, row.invalid_number, row.status, row.source_name) == (2, 1, "staged", "p.geojson")
    assert row.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert json.loads(stored[0].metadata) == {"plotid": "ok", "Farmer": "x", "farmer": "y", "facility_id": 12}
    assert [p.facility_id for p in stored] == ["12", None]
    # a second way: mended
    fixed = stage_plots(store, open_source(str(path)), StageRequest("fixed", options=StageOptions(fix_geometries=True)), NoProgress())
    assert fixed.plot_count == 3 and fixed.report["mended"][0]["plotid"] == "bow"


def test_ids_and_hashes_in_the_store_follow_the_contract(tmp_path, store):
    import uuid

    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature({"plotid": "a", "z": 1, "b": 2}), feature({"plotid": "b"})))
    result = stage_plots(store, open_source(str(path)), StageRequest("Nom é"), NoProgress())
    text = "MULTIPOLYGON(((-5.000000 6.000000,-4.990000 6.000000,-4.990000 6.010000,-5.000000 6.010000,-5.000000 6.000000)))"
    with store.reading() as connection:
        stored = list(plots.of_collection(connection, result.collection_id))
    sha = hashlib.sha256("Nom é\n".encode())
    for plot in stored:
        assert plot.metadata == json.dumps(json.loads(plot.metadata), sort_keys=True, ensure_ascii=False)
        sha.update(f"{plot.plotid}\t{text}\t{plot.metadata}\n".encode())
    assert result.collection_id == "0x" + sha.hexdigest()
    namespace = uuid.UUID(result.collection_id[2:34])
    assert [p.uuid for p in stored] == [str(uuid.uuid5(namespace, f"{n}\t{text}")) for n in (1, 2)]
    assert stored[0].soliditysha3_256_hash == stored[1].soliditysha3_256_hash and len(stored[0].soliditysha3_256_hash) == 66


def test_staging_twice_changes_nothing(tmp_path, store, shared):
    source = str(shared / "data" / "plots" / "whisp_example_50.geojson")
    first = stage_plots(store, open_source(source), StageRequest("whisp"), NoProgress())
    before = contents(store)
    again = stage_plots(store, open_source(source), StageRequest(" whisp "), NoProgress())
    assert again.collection_id == first.collection_id and again.already_staged and not first.already_staged and again.plot_count == 50
    assert contents(store) == before


def test_names_that_are_taken_and_renamed_collections(tmp_path, store):
    one, two = tmp_path / "one.geojson", tmp_path / "two.geojson"
    one.write_text(geojson(feature({"plotid": "a"})))
    two.write_text(geojson(feature({"plotid": "b"})))
    first = stage_plots(store, open_source(str(one)), StageRequest("farm"), NoProgress())
    before = contents(store)
    with pytest.raises(InputError, match="already exists with other plots: choose another name"):
        stage_plots(store, open_source(str(two)), StageRequest("FARM"), NoProgress())
    assert contents(store) == before
    with store.writing() as connection:
        collections.update(connection, first.collection_id, {"collection_name": "renamed"})
    with pytest.raises(InputError, match="'renamed'"):
        stage_plots(store, open_source(str(one)), StageRequest("farm"), NoProgress())
    other = stage_plots(store, open_source(str(one)), StageRequest("renamed again"), NoProgress())
    assert other.collection_id != first.collection_id


@pytest.mark.parametrize("request_, message", [
    (StageRequest("  "), "needs a name"), (StageRequest("a\nb"), "control character"),
    (StageRequest("a", system_type="huge"), "smallholder and estate"),
    (StageRequest("a", options=StageOptions(point_area_ha=0)), "above 0 ha"),
    (StageRequest("a", options=StageOptions(plot_id_field="x")), "PLOT_ID_FIELD"),
])  # fmt: skip
def test_bad_requests(tmp_path, store, request_, message):
    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature()))
    with pytest.raises(InputError, match=message):
        stage_plots(store, open_source(str(path)), request_, NoProgress())
    assert contents(store)[1] == 0


@pytest.mark.parametrize("crop, stored, warned", [("Cacao", "cocoa", False), ("kelapa sawit", "palm", False), ("CAFÉ", "coffee", False),
                                                ("soja", "soy", False), ("banana", "banana", True), ("", None, False)])  # fmt: skip
def test_crop_types(tmp_path, store, crop, stored, warned):
    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature()))
    listener = Listener()
    stage_plots(store, open_source(str(path)), StageRequest("c", crop_type=crop), listener)
    with store.reading() as connection:
        assert collections.find(connection, "c").crop_type == stored
    assert any("generic rules" in w for w in listener.warnings) == warned


def test_names_are_data(store):
    name = "x'); DROP TABLE plots; --"
    source = PlotSource("live layer", "EPSG:4326", [SourceFeature(1, {"plotid": name}, shape_wkb(Shape([[np.array(RING, float)]])))])
    stage_plots(store, source, StageRequest(name), NoProgress())
    with store.reading() as connection:
        assert plots.count(connection, collections.find(connection, name).collection_id) == 1


def test_a_cancelled_staging_leaves_nothing(tmp_path, store):
    class Stopper(NoProgress):
        def cancelled(self):
            return True

    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature()))
    with pytest.raises(CancelledError):
        stage_plots(store, open_source(str(path)), StageRequest("c"), Stopper())
    assert contents(store)[1] == 0


def test_another_area_for_points_of_a_staged_collection_is_said(tmp_path, store):
    path = tmp_path / "p.csv"
    path.write_text("plotid,lon,lat\n1,-5.5,6.5\n")
    stage_plots(store, open_source(str(path)), StageRequest("c"), NoProgress())
    with store.reading() as connection:
        stored = list(plots.of_collection(connection, collections.find(connection, "c").collection_id))
    assert stored[0].flags == ("point", "area_assumed") and stored[0].area == pytest.approx(4, abs=1e-7)
    listener = Listener()
    again = stage_plots(store, open_source(str(path)), StageRequest("c", options=StageOptions(point_area_ha=2)), listener)
    assert again.already_staged and any("was staged with 4 ha per point" in w for w in listener.warnings)


def test_upload_without_validation_and_of_nothing(tmp_path, store):
    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature()))
    staged = stage_plots(store, open_source(str(path)), StageRequest("c", country="Ghana"), NoProgress())
    result = upload_plots(store, "C", False, None, NoProgress())
    assert (result.collection_id, result.plot_count, result.locations_confidence, result.country_override_info) == (staged.collection_id, 1, "", None)
    with store.reading() as connection:
        assert collections.find(connection, "c").status == "uploaded"
    with pytest.raises(NotFoundError):
        upload_plots(store, "nope", True, None, NoProgress())


def test_upload_without_borders_is_at_most_medium(tmp_path, store):
    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature()))
    stage_plots(store, open_source(str(path)), StageRequest("c", crop_type="cocoa"), NoProgress())
    result = upload_plots(store, "c", True, None, NoProgress())
    assert result.locations_confidence == "medium" and result.report["score"] == pytest.approx(1.0)
    assert result.report["weight_run"] == pytest.approx(0.4) and set(result.report["not_run"]) == {"commodity", "country", "land"}
    with store.reading() as connection:
        row = collections.find(connection, "c")
    assert row.locations_confidence == "medium" and row.validation_report == result.report


def test_plots_of_another_collection_count_as_overlap(tmp_path, store):
    path = tmp_path / "p.geojson"
    path.write_text(geojson(feature({"plotid": "a"})))
    stage_plots(store, open_source(str(path)), StageRequest("first"), NoProgress())
    stage_plots(store, open_source(str(path)), StageRequest("second"), NoProgress())
    listener = Listener()
    result = upload_plots(store, "second", True, None, listener)
    assert listener.warnings == ["1 of 1 plots lie or look doubtful (a: duplicate of plot 'a' of collection 'first'); validation_report lists them."]
    assert result.report["checks"]["overlap"]["failed"] == 1
    assert result.report["problems"][0]["problems"] == ["duplicate of plot 'a' of collection 'first'"]


def test_upload_detects_the_country_and_keeps_the_declared_one(tmp_path, store):
    world = "/usr/share/qgis/resources/data/world_map.gpkg"
    if not os.path.isfile(world):
        pytest.skip("QGIS's world_map.gpkg is not installed here")
    rings = [[[lon + k * 0.01, lat + k * 0.02] for lon, lat in RING] for k in range(4)]
    path = tmp_path / "p.geojson"
    path.write_text(geojson(*(feature({"plotid": str(k)}, ring) for k, ring in enumerate(rings))))
    stage_plots(store, open_source(str(path)), StageRequest("c", country="Ghana", crop_type="cocoa"), NoProgress())
    for _ in range(2):  # the second time the store already holds the corrected country
        result = upload_plots(store, "c", True, world, NoProgress())
        assert result.country_override_info == {
            "was_overridden": True, "original_country": "Ghana", "detected_country": "Côte d'Ivoire",
            "message": "Country automatically overridden from 'Ghana' to 'Côte d'Ivoire' based on file locations (4/4 locations in Côte d'Ivoire)",
        }  # fmt: skip
        assert result.report["checks"]["country"]["failed"] == 4
    with store.reading() as connection:
        row = collections.find(connection, "c")
    assert (row.country, row.detected_country, row.status) == ("Côte d'Ivoire", "Côte d'Ivoire", "uploaded") and row.admin1
    with store.writing() as connection:
        collections.update(connection, row.collection_id, {"country": "CIV"})
    result = upload_plots(store, "c", True, world, NoProgress())
    assert result.country_override_info is None and result.report["checks"]["country"]["passed"] == 4
    assert result.locations_confidence == "high"
