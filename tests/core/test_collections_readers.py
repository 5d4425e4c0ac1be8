"""Every accepted format, and what is refused before a feature is looked at."""

import csv
import json
import struct
import sys
import zipfile

import pytest
from osgeo import gdal, ogr, osr

from epoch_plugin.core.collections.plots import BadFeature, StageOptions, StageReport, canonical_plots
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import InputError, MissingLibraryError
from epoch_plugin.core.progress import NoProgress

RING = [[-5.0, 6.0], [-4.99, 6.0], [-4.99, 6.01], [-5.0, 6.01], [-5.0, 6.0]]
WKT = "POLYGON ((-5 6,-4.99 6,-4.99 6.01,-5 6.01,-5 6))"


def read(path, **options):
    report = StageReport()
    items = list(canonical_plots(open_source(str(path)), StageOptions(**options), report, NoProgress()))
    return [i for i in items if not isinstance(i, BadFeature)], [i for i in items if isinstance(i, BadFeature)], report


def feature(properties=None, geometry=None, **more):
    return {"type": "Feature", "properties": properties or {}, "geometry": geometry or {"type": "Polygon", "coordinates": [RING]}, **more}


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", **more, "features": list(features)})


def write_ogr(path, driver, rows, epsg=4326, layer="plots", geometry_type=ogr.wkbPolygon):
    dataset = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_UPDATE) if path.exists() else None
    dataset = dataset or ogr.GetDriverByName(driver).CreateDataSource(str(path))
    reference = None
    if epsg:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    out = dataset.CreateLayer(layer, reference, geometry_type)
    out.CreateField(ogr.FieldDefn("plotid", ogr.OFTString))
    out.CreateField(ogr.FieldDefn("planted", ogr.OFTDate))
    out.CreateField(ogr.FieldDefn("yield_kg", ogr.OFTReal))
    for plotid, wkt in rows:
        item = ogr.Feature(out.GetLayerDefn())
        item.SetField("plotid", plotid)
        item.SetField("planted", 2012, 5, 1, 0, 0, 0, 0)
        item.SetField("yield_kg", 512.5)
        item.SetGeometry(ogr.CreateGeometryFromWkt(wkt) if wkt else None)
        out.CreateFeature(item)


def test_geojson_keeps_attributes_as_they_are(tmp_path):
    properties = {"Name": "A", "name": "b", "NAME": 3, "big": 12345678901234567890, "nested": {"x": [1, None]}, "é": "ü"}
    path = tmp_path / "p.geojson"
    path.write_text(collection(feature(properties)), encoding="utf-8-sig")
    plots, bad, report = read(path)
    assert not bad and report.read == 1
    assert json.loads(plots[0].metadata) == properties


@pytest.mark.parametrize("text", [
    json.dumps(feature({"plotid": "x"})),
    json.dumps(feature({"plotid": "x"})) + "\n" + json.dumps(feature({"plotid": "y"})) + "\n",
    "\x1e" + json.dumps(feature({"plotid": "x"})) + "\n\x1e" + json.dumps(feature({"plotid": "y"})),
    json.dumps({"type": "Polygon", "coordinates": [RING]}),
])  # fmt: skip
def test_geojson_single_objects_and_lines(tmp_path, text):
    path = tmp_path / "p.geojsonl"
    path.write_text(text)
    plots, bad, _ = read(path)
    assert len(plots) == text.count('"Polygon"') and not bad


@pytest.mark.parametrize("block", [1, 2, 7, 64, 1000])
def test_geojson_does_not_depend_on_where_blocks_end(tmp_path, monkeypatch, block):
    from epoch_plugin.core.collections import geojson_reader

    path = tmp_path / "p.geojson"
    features = [feature({"plotid": f"p{n}", "value": 12345.678 + n, "text": 'a "quoted" \\ é'}) for n in range(20)]
    path.write_text(collection(*features, bbox=[1, 2, 3, 4]))
    wanted = [(p.plotid, p.text, p.metadata) for p in read(path)[0]]
    monkeypatch.setattr(geojson_reader, "_CHUNK", block)
    assert [(p.plotid, p.text, p.metadata) for p in read(path)[0]] == wanted and len(wanted) == 20
    path.write_text(path.read_text()[:-700])
    with pytest.raises(InputError, match="truncated"):
        read(path)


@pytest.mark.parametrize("position", ["before", "after"])
def test_geojson_2008_crs_member(tmp_path, position):
    crs = json.dumps({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32630"}})
    ring = [[278000, 663000], [278100, 663000], [278100, 663100], [278000, 663100], [278000, 663000]]
    features = json.dumps([feature(geometry={"type": "Polygon", "coordinates": [ring]})])
    text = f'{{"type":"FeatureCollection","crs":{crs},"features":{features}}}'
    if position == "after":
        text = f'{{"type":"FeatureCollection","features":{features}, "name": "x", "crs": {crs}}}\n'
    path = tmp_path / "p.geojson"
    path.write_text(text)
    plots, _, report = read(path)
    assert "UTM zone 30N" in report.transformation and report.transformation_accuracy_m == 0  # no datum shift: nothing inaccurate
    assert plots[0].area == pytest.approx(1.0, rel=2e-3)


HEADERS = {
    "English": ("Longitude", "Latitude"), "English short": ("GPS Lon (DD)", "GPS Lat (DD)"), "French": ("Longitude décimale", "Latitude décimale"),
    "French x y": ("Coordonnée X", "Coordonnée Y"), "Spanish": ("Longitud", "Latitud"), "Spanish x y": ("coord_x", "coord_y"),
    "Portuguese": ("LONGITUDE_GRAUS", "LATITUDE_GRAUS"), "Portuguese x": ("Coordenada X", "Coordenada Y"),
    "Indonesian": ("Garis Bujur", "Garis Lintang"),
    "Indonesian short": ("bujur", "lintang"), "camel": ("plotLongitude", "plotLatitude"),
}  # fmt: skip


@pytest.mark.parametrize("lon, lat", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("delimiter, comma", [(",", False), (";", True), ("\t", True), ("|", False)])
def test_csv_headers_delimiters_and_decimal_commas(tmp_path, lon, lat, delimiter, comma):
    path = tmp_path / "p.csv"
    x, y = ("-5,123", "6,5") if comma else ("-5.123", "6.5")
    rows = [["plotid", lat, lon, "area"], ["a", y, x, "2,5" if comma else "2.5"]]
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows), encoding="utf-8")
    plots, bad, _ = read(path)
    assert not bad
    assert plots[0].text == "POINT(-5.123000 6.500000)" and plots[0].plotid == "a"
    assert plots[0].area == pytest.approx(2.5, abs=1e-7)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_csv_encodings(tmp_path, encoding):
    path = tmp_path / "p.csv"
    path.write_bytes("plotid;nom;lon;lat\r\n1;Kouamé Côté;-5,1;6,2\r\n".encode(encoding))
    plots, bad, _ = read(path)
    assert not bad and json.loads(plots[0].metadata)["nom"] == "Kouamé Côté"


def test_csv_with_wkt_geojson_text_and_a_fallback_to_points(tmp_path):
    path = tmp_path / "p.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["plotid", "boundary", "lon", "lat", "Note", "note"])
        writer.writerow(["w", WKT, "", "", "A", "b"])
        writer.writerow(["g", json.dumps({"type": "Polygon", "coordinates": [RING]}), "", "", "", ""])
        writer.writerow(["s", f"SRID=4326;{WKT}", "", "", "", ""])
        writer.writerow(["p", "", "-5.5", "6.5", "", ""])
        writer.writerow(["bad", "POLYGON ((1 2, 3", "", "", "", ""])
        writer.writerow(["other", f"SRID=32630;{WKT}", "", "", "", ""])
        writer.writerow(["nan", "", "five", "6", "", ""])
    plots, bad, _ = read(path)
    assert [p.plotid for p in plots] == ["w", "g", "s", "p"]
    assert plots[0].text == plots[1].text == plots[2].text
    assert json.loads(plots[0].metadata) == {"plotid": "w", "lon": "", "lat": "", "Note": "A", "note": "b"}
    assert [(b.row, b.plotid, b.reason_code) for b in bad] == [(5, "bad", "unreadable_geometry"), (6, "other", "unreadable_geometry"),
                                                            (7, "nan", "unreadable_geometry")]  # fmt: skip
    assert "not a number" in bad[2].reason


def test_csv_in_projected_metres_with_crs(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,easting,northing\n1,278000,663000\n")
    plots, bad, _ = read(path)
    assert bad[0].reason_code == "projected_coordinates" and "CRS" in bad[0].reason and not plots
    plots, bad, report = read(path, crs="EPSG:32630")
    assert not bad and report.transformation_accuracy_m == 0


@pytest.mark.skipif(ogr.GetDriverByName("XLSX") is None, reason="this GDAL has no XLSX driver")
def test_xlsx(tmp_path):
    path = tmp_path / "p.xlsx"
    dataset = ogr.GetDriverByName("XLSX").CreateDataSource(str(path))
    for name, fields, row in (("info", ["text"], ["hello"]), ("plots", ["plotid", "Longitud", "Latitud"], ["a", -5.25, 6.5])):
        layer = dataset.CreateLayer(name)
        for field, value in zip(fields, row):
            layer.CreateField(ogr.FieldDefn(field, ogr.OFTReal if isinstance(value, float) else ogr.OFTString))
        item = ogr.Feature(layer.GetLayerDefn())
        for field, value in zip(fields, row):
            item.SetField(field, value)
        layer.CreateFeature(item)
    dataset = layer = item = None
    plots, bad, _ = read(path)
    assert not bad and [(p.plotid, p.text) for p in plots] == [("a", "POINT(-5.250000 6.500000)")]


@pytest.mark.skipif(ogr.GetDriverByName("XLSX") is None, reason="this GDAL has no XLSX driver")
def test_xlsx_of_text_only_has_headers_too(tmp_path):
    path = tmp_path / "p.xlsx"
    dataset = ogr.GetDriverByName("XLSX").CreateDataSource(str(path))
    layer = dataset.CreateLayer("plots")
    for name in ("plotid", "geometry"):
        layer.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    item = ogr.Feature(layer.GetLayerDefn())
    item.SetField("plotid", "a")
    item.SetField("geometry", WKT)
    layer.CreateFeature(item)
    dataset = layer = item = None
    plots, bad, report = read(path)
    assert not bad and report.read == 1 and plots[0].plotid == "a" and json.loads(plots[0].metadata) == {"plotid": "a"}
    assert gdal.GetThreadLocalConfigOption("OGR_XLSX_HEADERS", None) is None


def test_shapefile_zipped_and_without_crs(tmp_path):
    folder = tmp_path / "shp"
    folder.mkdir()
    write_ogr(folder / "plots.shp", "ESRI Shapefile", [("é1", WKT)], 4326)
    plots, bad, _ = read(folder / "plots.shp")
    assert not bad and plots[0].plotid == "é1"
    assert json.loads(plots[0].metadata) == {"plotid": "é1", "planted": "2012-05-01", "yield_kg": 512.5}
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for part in folder.iterdir():
            archive.write(part, f"inner/{part.name}")
    assert [p.text for p in read(tmp_path / "p.zip")[0]] == [plots[0].text]
    (folder / "plots.prj").unlink()
    with pytest.raises(InputError, match=r"coordinate reference system.*\.prj.*set CRS"):
        read(folder / "plots.shp")
    assert read(folder / "plots.shp", crs="EPSG:4326")[0][0].text == plots[0].text


@pytest.mark.parametrize("name", ["../evil.shp", "/abs/evil.shp", "a/../../evil.shp", "..\\evil.shp", "C:\\evil.shp"])
def test_zip_with_names_that_leave_the_archive(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputError, match="points outside the archive"):
        open_source(str(tmp_path / "p.zip"))


def test_zip_with_several_shapefiles_names_them(tmp_path):
    for name in ("north", "south"):
        write_ogr(tmp_path / f"{name}.shp", "ESRI Shapefile", [(name, WKT)])
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for part in [*tmp_path.glob("north.*"), *tmp_path.glob("south.*")]:
            archive.write(part, part.name)
    with pytest.raises(InputError, match="layername=north") as error:
        open_source(str(tmp_path / "p.zip"))
    assert "layername=south" in str(error.value)
    assert read(f"{tmp_path / 'p.zip'}|layername=south")[0][0].plotid == "south"


def test_geopackage_layers_crs_and_untouched_file(tmp_path):
    path = tmp_path / "p.gpkg"
    write_ogr(path, "GPKG", [("a", "POLYGON ((278000 663000,278100 663000,278100 663100,278000 663100,278000 663000))")], 32630, "north")
    before = path.read_bytes()
    plots, bad, report = read(path)
    assert not bad and plots[0].area == pytest.approx(1.0, rel=2e-3) and "UTM" in report.source_crs
    assert path.read_bytes() == before
    write_ogr(path, "GPKG", [("b", WKT)], 4326, "south")
    with pytest.raises(InputError, match=r"layername=north.*layername=south"):
        open_source(str(path))
    assert read(f"{path}|layername=south")[0][0].plotid == "b"
    with pytest.raises(InputError, match="no layer 'west'"):
        open_source(f"{path}|layername=west")


def test_every_geoparquet_sample_gives_plots_or_reasons(shared):
    pytest.importorskip("pyarrow")
    files = sorted((shared / "data" / "geoparquet").glob("*.parquet"))
    assert len(files) == 18
    for path in files:
        plots, bad, report = read(path)
        assert report.stored + report.rejected >= report.read > 0
        assert all(b.reason for b in bad)
        assert bool(plots) == ("linestring" not in path.name), path.name
        if "_native" in path.name:
            twin = read(path.with_name(path.name.replace("_native", "_wkb")))
            assert [p.text for p in plots] == [p.text for p in twin[0]]
            assert [b.reason_code for b in bad] == [b.reason_code for b in twin[1]]


def test_geoparquet_without_pyarrow_and_truncated(tmp_path, monkeypatch, shared):
    sample = shared / "data" / "geoparquet" / "test_data_v1.0.0.parquet"
    broken = tmp_path / "p.parquet"
    broken.write_bytes(sample.read_bytes()[:-200])
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        open_source(str(broken))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingLibraryError, match=r"pyarrow.*pip install"):
        open_source(str(sample))


# an object within objects; at 90 it is read everywhere, at 150 Python could, SQLite could not at 1100, nor every Python at 5000
@pytest.mark.parametrize(("depth", "refused"), [(90, False), (150, True), (1100, True), (5000, True), (200_000, True)])
def test_attributes_nested_too_deeply_are_refused_by_every_python(tmp_path, depth, refused):
    path = tmp_path / "p.geojson"
    path.write_text(collection(feature({"deep": "DEEP"})).replace('"DEEP"', '{"a":' * depth + "1" + "}" * depth))
    if refused:
        with pytest.raises(InputError, match="nested too deeply"):
            read(path)
    else:
        plots, bad, _ = read(path)
        assert not bad and plots[0].metadata.count('"a"') == depth


@pytest.mark.parametrize("depth", [150, 900, 5000, 200_000])
def test_geometries_nested_too_deeply_are_bad_features_of_a_table(tmp_path, depth):
    path = tmp_path / "p.csv"
    text = '{"type":"GeometryCollection","geometries":[' * depth + json.dumps({"type": "Polygon", "coordinates": [RING]}) + "]}" * depth
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["plotid", "boundary"], ["a", text], ["b", WKT]])
    plots, bad, _ = read(path)
    assert [p.plotid for p in plots] == ["b"] and [(b.plotid, b.reason_code) for b in bad] == [("a", "unreadable_geometry")]
    assert "nested too deeply" in bad[0].reason


def test_crs_option_that_contradicts_the_file_and_nonsense(tmp_path):
    path = tmp_path / "p.geojson"
    path.write_text(collection(feature(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}))
    assert len(read(path, crs="EPSG:4326")[0]) == 1
    with pytest.raises(InputError, match="CRS is only for sources that declare none"):
        read(path, crs="EPSG:32630")
    path.write_text(collection(feature()))
    with pytest.raises(InputError, match="'nonsense' is not a coordinate reference system"):
        read(path, crs="nonsense")


@pytest.mark.parametrize("crs", [
    "+proj=utm +zone=30 +ellps=clrk80 +units=m +type=crs",
    'GEOGCS["x",DATUM["Unknown",SPHEROID["Clarke 1880",6378249.145,293.465]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]',
])  # fmt: skip
def test_a_ballpark_transformation_is_refused(tmp_path, crs):
    path = tmp_path / "p.csv"
    path.write_text("id,x,y\n1,-5,6\n")
    with pytest.raises(InputError, match=r"ballpark.*refused"):
        read(path, crs=crs)


@pytest.mark.parametrize("crs", ["EPSG:4258", "EPSG:4674", "EPSG:9057"])  # ETRS89, SIRGAS 2000, a realisation of WGS 84
def test_a_datum_so_close_that_coordinates_stay_as_they_are(tmp_path, crs):
    path = tmp_path / "p.csv"
    path.write_text("id,x,y\n1,-5,42\n")
    plots, bad, report = read(path, crs=crs)
    assert not bad and plots[0].text == "POINT(-5.000000 42.000000)" and 1 <= report.transformation_accuracy_m <= 2


def test_a_datum_shift_is_named_with_its_accuracy(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,x,y\n1,274000,250000\n")
    _, bad, report = read(path, crs="EPSG:2136")  # Ghana National Grid, in feet
    assert not bad and "Accra to WGS 84" in report.transformation and report.transformation_accuracy_m > 0


def test_wkb_with_z_m_srid_and_big_endian_is_the_same_polygon():
    from epoch_plugin.core.collections.shapes import parse_wkb

    flat = ogr.CreateGeometryFromWkt(WKT)
    wanted = parse_wkb(bytes(flat.ExportToWkb())).polygons[0][0].tolist()
    zm = ogr.CreateGeometryFromWkt("POLYGON ZM ((-5 6 1 2,-4.99 6 1 2,-4.99 6.01 1 2,-5 6.01 1 2,-5 6 1 2))")
    for wkb in (zm.ExportToIsoWkb(ogr.wkbXDR), zm.ExportToIsoWkb(ogr.wkbNDR), flat.ExportToWkb(ogr.wkbXDR)):
        assert parse_wkb(bytes(wkb)).polygons[0][0].tolist() == wanted
    plain = bytes(flat.ExportToWkb())
    ewkb = struct.pack("<BII", 1, 3 | 0x20000000, 4326) + plain[5:]
    assert parse_wkb(ewkb).polygons[0][0].tolist() == wanted
    curve = ogr.CreateGeometryFromWkt("CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))")
    assert len(parse_wkb(bytes(curve.ExportToIsoWkb())).polygons[0][0]) > 30
    with pytest.raises(ValueError, match="cannot be read"):
        parse_wkb(plain[:-5])
