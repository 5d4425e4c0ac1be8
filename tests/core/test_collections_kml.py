"""KML and KMZ: every placemark with its fields, whatever GDAL is installed; and texts that no plot file should be."""

import json
import zipfile

import pytest

from epoch_plugin.core.collections.plots import BadFeature, StageOptions, StageReport, canonical_plots
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.progress import NoProgress

HEAD = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">'
SQUARE = "-5,6,10 -4.99,6,10 -4.99,6.01,10 -5,6.01,10 -5,6,10"
HOLE = "-4.998,6.002 -4.996,6.002 -4.996,6.004 -4.998,6.002"
HOLE_2 = "-4.995,6.005 -4.994,6.005 -4.994,6.006 -4.995,6.005"


def ring(coordinates):
    return f"<LinearRing><coordinates>{coordinates}</coordinates></LinearRing>"


def polygon(coordinates=SQUARE, inner=""):
    return f"<Polygon><outerBoundaryIs>{ring(coordinates)}</outerBoundaryIs>{inner}</Polygon>"


def placemark(name="A", geometry=None, more="", attributes=""):
    return f"<Placemark {attributes}><name>{name}</name>{more}{polygon() if geometry is None else geometry}</Placemark>"


def document(*members):
    return f"{HEAD}<Document>{''.join(members)}</Document></kml>"


def read(path):
    report = StageReport()
    items = list(canonical_plots(open_source(str(path)), StageOptions(), report, NoProgress()))
    return [i for i in items if not isinstance(i, BadFeature)], [i for i in items if isinstance(i, BadFeature)], report


def read_text(tmp_path, text):
    path = tmp_path / "p.kml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def fields_of(tmp_path, *members):
    plots, bad, _ = read_text(tmp_path, document(*members))
    assert not bad
    return json.loads(plots[0].metadata)


@pytest.mark.parametrize("zipped", [False, True])
def test_kml_and_kmz(tmp_path, zipped):
    farmer = '<ExtendedData><Data name="farmer"><value>Awa</value></Data></ExtendedData>'
    text = document(
        f"<Folder><name>one</name>{placemark('K1', more=farmer)}</Folder>",
        f"<Folder><name>two</name><Folder>{placemark('K2', '<Point><coordinates>-5.5,6.5,0</coordinates></Point>')}</Folder></Folder>",
    )
    path = tmp_path / ("p.kmz" if zipped else "p.kml")
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("files/other.kml", document(placemark("not linked")))
            archive.writestr("doc.kml", text)
    else:
        path.write_text(text)
    plots, bad, report = read(path)
    assert not bad and report.plot_id_field == "Name" and [p.plotid for p in plots] == ["K1", "K2"]
    assert json.loads(plots[0].metadata) == {"Name": "K1", "farmer": "Awa"} and json.loads(plots[1].metadata) == {"Name": "K2"}
    assert plots[1].text == "POINT(-5.500000 6.500000)"


def test_the_kmz_of_several_documents(tmp_path):
    def link(href):
        return f"<NetworkLink><Link><href>{href}</href></Link></NetworkLink>"

    with zipfile.ZipFile(tmp_path / "p.kmz", "w") as archive:
        archive.writestr("doc.kml", document(link("files/a%20b.kml"), placemark("1"), link("https://example.org/x.kml"), link("../../evil.kml")))
        archive.writestr("files/a b.kml", document(placemark("2"), link("c.kml"), link("../doc.kml")))
        archive.writestr("files/c.kml", document(placemark("3")))
    plots, bad, _ = read(tmp_path / "p.kmz")
    assert not bad and [(p.plotid, p.row) for p in plots] == [("1", 1), ("2", 2), ("3", 3)]


def test_fields_are_what_the_file_says_with_the_types_of_its_schema(tmp_path):
    types = {"whole": "int", "real": "double", "flag": "bool", "code": "string", "wrong": "int", "none": "int"}
    schema = "".join(f'<SimpleField type="{kind}" name="{name}"/>' for name, kind in types.items())
    values = {"whole": "3", "real": "2.25", "flag": "1", "code": "007", "wrong": "x", "none": "", "undeclared": "9"}
    data = "".join(f'<SimpleData name="{name}">{value}</SimpleData>' for name, value in values.items())
    more = (
        "<description><![CDATA[<b>1</b> & 2]]></description><visibility>0</visibility><styleUrl>#a</styleUrl>"
        "<TimeSpan><begin>2020</begin><end>2021-02-03T04:05:06Z</end></TimeSpan>"
        f'<ExtendedData><SchemaData schemaUrl="#s">{data}</SchemaData><Data name="empty"><value/></Data><Data name="nothing"/></ExtendedData>'
    )
    assert fields_of(tmp_path, f'<Schema id="s" name="s">{schema}</Schema>', placemark(more=more, attributes='id="x1"')) == {
        "Name": "A", "description": "<b>1</b> & 2", "begin": "2020", "end": "2021-02-03T04:05:06Z", "whole": 3, "real": 2.25, "flag": True,
        "code": "007", "wrong": "x", "none": None, "undeclared": "9", "empty": "", "nothing": None,
    }  # fmt: skip


def test_names_that_differ_in_case_stay_apart(tmp_path):
    data = '<ExtendedData><Data name="name"><value>B</value></Data></ExtendedData>'
    assert fields_of(tmp_path, placemark(more=data)) == {"Name": "A", "name": "B"}


def test_the_id_of_a_placemark_is_used_where_nothing_else_tells_plots_apart(tmp_path):
    _, bad, _ = read_text(tmp_path, document(placemark("same", attributes='id="x1"'), placemark("same", attributes='id="x2"')))
    assert not bad
    plots, _, report = read_text(tmp_path, document(*(f'<Placemark id="x{n}">{polygon()}</Placemark>' for n in (1, 2))))
    assert report.plot_id_field is None and [p.plotid for p in plots] == ["x1", "x2"]


INNER = f"<innerBoundaryIs>{ring(HOLE)}</innerBoundaryIs>"
PARTS = [polygon(), polygon(SQUARE.replace("-5,", "-3,").replace("-4.99,", "-2.99,"))]
SHAPES = {
    "hole": (polygon(inner=INNER), 1, 1),
    "two holes": (polygon(inner=INNER + INNER.replace(HOLE, HOLE_2)), 1, 2),
    "two holes in one boundary": (polygon(inner=f"<innerBoundaryIs>{ring(HOLE)}{ring(HOLE_2)}</innerBoundaryIs>"), 1, 2),
    "parts": (f"<MultiGeometry>{''.join(PARTS)}</MultiGeometry>", 2, 0),
    "nested parts": (f"<MultiGeometry><MultiGeometry>{PARTS[0]}</MultiGeometry>{PARTS[1]}</MultiGeometry>", 2, 0),
}


@pytest.mark.parametrize(("geometry", "parts", "holes"), SHAPES.values(), ids=SHAPES)
def test_holes_and_parts(tmp_path, geometry, parts, holes):
    import shapely.wkb

    plots, bad, _ = read_text(tmp_path, document(placemark(geometry=geometry)))
    assert not bad
    shape = shapely.wkb.loads(plots[0].polygon)
    assert len(shape.geoms) == parts and sum(len(part.interiors) for part in shape.geoms) == holes


@pytest.mark.parametrize("coordinates", [
    SQUARE.replace(" ", "\n\t "), SQUARE.replace(",", ", "), SQUARE.replace(",", " , "), SQUARE.replace(" ", ", ") + ",", SQUARE.replace(",10", ""),
    SQUARE.replace(",10", ",") + "\n",
])  # fmt: skip
def test_ways_of_writing_coordinates(tmp_path, coordinates):
    plots, bad, _ = read_text(tmp_path, document(placemark(geometry=polygon(coordinates)), placemark("B")))
    assert not bad and plots[0].text == plots[1].text and plots[0].area == pytest.approx(122.2, abs=1)


BAD = {
    "no geometry": ("", "missing_geometry", "no geometry"),
    "empty polygon": ("<Polygon/>", "empty_geometry", "empty"),
    "no coordinates": (polygon(""), "empty_geometry", "empty"),
    "line": (f"<LineString><coordinates>{SQUARE}</coordinates></LineString>", "line_geometry", "line"),
    "ring": (ring(SQUARE), "line_geometry", "line"),
    "unclosed": (polygon("-5,6 -4.99,6 -4.99,6.01 -5,6.01"), "unclosed_ring", ""),
    "single numbers": (polygon("-5 6 -4.99 6"), "unreadable_geometry", "longitude,latitude"),
    "decimal commas": (polygon("-5,0,6,0 -4,99,6,0"), "unreadable_geometry", "longitude,latitude"),
    "words": (polygon("a,b c,d"), "unreadable_geometry", "float"),
    "polygon and point": (f"<MultiGeometry>{polygon()}<Point><coordinates>1,2</coordinates></Point></MultiGeometry>", "mixed_geometry", "mixed"),
    # GDAL's LIBKML driver ends the process at this one
    "track": ("<gx:Track><when>2010-05-28T02:02:09Z</when><gx:coord>-5 6 1</gx:coord></gx:Track>", "unreadable_geometry", "a Track is not a plot"),
}


@pytest.mark.parametrize(("geometry", "code", "words"), BAD.values(), ids=BAD)
def test_bad_placemarks_are_told_one_by_one(tmp_path, geometry, code, words):
    plots, bad, _ = read_text(tmp_path, document(placemark(geometry=geometry), placemark("B")))
    assert [p.plotid for p in plots] == ["B"]
    assert [(b.row, b.plotid, b.reason_code) for b in bad] == [(1, "A", code)] and words in bad[0].reason


def test_only_placemarks_are_plots(tmp_path):
    box = "<LatLonBox><north>7</north><south>6</south><east>-4</east><west>-5</west></LatLonBox>"
    plots, bad, _ = read_text(tmp_path, document(f"<GroundOverlay><name>picture</name>{box}</GroundOverlay>", placemark()))
    assert not bad and [p.plotid for p in plots] == ["A"]


PLAIN = document(placemark("Côte"))
TEXTS = {
    "latin-1": PLAIN.replace("UTF-8", "ISO-8859-1").encode("latin-1"), "windows": PLAIN.replace("UTF-8", "windows-1252").encode("cp1252"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(), "utf-16": PLAIN.replace("UTF-8", "UTF-16").encode("utf-16"), "blanks before": "\n  " + PLAIN,
    "no namespace": PLAIN.replace(HEAD, "<kml>"), "Google's": PLAIN.replace("http://www.opengis.net/kml/2.2", "http://earth.google.com/kml/2.1"),
    "prefixed": PLAIN.replace("xmlns=", "xmlns:k=").replace("<", "<k:").replace("<k:/", "</k:").replace("<k:?", "<?"),
    "prefix that is not declared": PLAIN.replace("</name>", "</name><xyz:name>no</xyz:name>"),
    "without a document": f"{HEAD}{placemark('Côte')}</kml>",
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_encodings_and_namespaces(tmp_path, text):
    plots, bad, _ = read_text(tmp_path, text)
    assert not bad and [p.plotid for p in plots] == ["Côte"] and json.loads(plots[0].metadata) == {"Name": "Côte"}


REFUSED = {
    "web page": ("<html><body>not found</body></html>", "is not KML: its outermost element is <html>"),
    "cut off": (PLAIN[:-20], "cannot be read as KML"),
    "nothing": (b" \n", "cannot be read as KML"),
    "not XML": ("plotid,lon,lat", "cannot be read as KML"),
    "deep": (document("<Folder>" * 150_000), "nested too deeply"),
    "entity": (f'<!DOCTYPE kml [<!ENTITY a "b">]>{PLAIN[38:]}', "XML entity 'a'"),
    "entities of entities": ('<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><kml>&b;</kml>', "XML entity 'a'"),
    "file as entity": ('<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml><name>&x;</name></kml>', "XML entity 'x'"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_texts_that_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_text(tmp_path, text)


def test_archives_that_are_refused(tmp_path):
    path = tmp_path / "p.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(InputError, match="holds no KML"):
        open_source(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../doc.kml", PLAIN)
    with pytest.raises(InputError, match="points outside the archive"):
        open_source(str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", PLAIN)
    path.write_bytes(path.read_bytes().replace(b"<Polygon>", b"<Polygin>"))
    with pytest.raises(InputError, match=r"CRC|cannot be read"):
        open_source(str(path))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match="not a readable KMZ"):
        open_source(str(path))
    path.write_text(PLAIN)
    with pytest.raises(InputError, match="not a readable KMZ"):
        open_source(str(path))


@pytest.mark.parametrize("block", [1, 7, 300])
def test_reading_does_not_depend_on_where_blocks_end(tmp_path, monkeypatch, block):
    from epoch_plugin.core.collections import kml_reader

    text = document(*(placemark(f"é{n}") for n in range(5)))
    wanted = [(p.plotid, p.text, p.metadata) for p in read_text(tmp_path, text)[0]]
    monkeypatch.setattr(kml_reader, "_BLOCK", block)
    assert [(p.plotid, p.text, p.metadata) for p in read_text(tmp_path, text)[0]] == wanted and len(wanted) == 5


def test_a_placemark_that_never_ends_is_refused_before_memory_does(tmp_path, monkeypatch):
    from epoch_plugin.core.collections import kml_reader

    monkeypatch.setattr(kml_reader, "_LARGEST_PLACEMARK", 10_000)
    small, large = (f"<description>{'x' * size}</description>" for size in (9_000, 10_000))
    assert len(read_text(tmp_path, document(placemark("A", more=small), placemark("B", more=small)))[0]) == 2
    with pytest.raises(InputError, match="more than 10,000 characters"):
        read_text(tmp_path, document(placemark(more=large)))
