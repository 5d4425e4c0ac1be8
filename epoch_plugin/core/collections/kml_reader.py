"""KML and KMZ, read as a stream of placemarks: GDAL's drivers differ in the fields that they give, and some builds leave out all but the name."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import unquote

# What makes XML from strangers dangerous are entities: a text that declares one is refused below, and expat opens no other file.
from xml.parsers import expat

import numpy as np

from epoch_plugin.core.collections.archives import UNREADABLE, refuse_unsafe
from epoch_plugin.core.collections.shapes import Ring, Shape, shape_wkb
from epoch_plugin.core.collections.source import SourceFeature
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.nesting import DEEPEST

_BLOCK = 1 << 18
_LARGEST_PLACEMARK = 400_000_000  # characters: a small archive may hold any number of them
_OUTERMOST = {"kml", "Document", "Folder", "Placemark"}
_GEOMETRIES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Model", "Track", "MultiTrack"}
_WHOLE = {"int", "uint", "short", "ushort", "long", "ulong"}
_FRACTIONS = {"float", "double"}
_COMMA = re.compile(r"\s*,\s*")


@dataclass
class _Element:
    """An XML element below a placemark, a schema or a link."""

    name: str
    attributes: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    children: list[_Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()

    def first(self, name: str) -> _Element | None:
        return next((child for child in self.children if child.name == name), None)

    def text_of(self, *path: str) -> str | None:
        """Return the text at the end of a path of names, None where there is none."""
        found: _Element | None = self
        for name in path:
            found = found.first(name) if found else None
        return found.text or None if found else None

    def each(self, name: str) -> Iterator[_Element]:
        return (child for child in self.children if child.name == name)


class _Document:
    """Parses one KML text and hands out its placemarks; in memory is one at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.placemarks: list[_Element] = []
        self.links: list[str] = []
        self.types: dict[str, dict[str, str]] = {}  # schema -> field -> type
        self._prefix = ""
        self._open: list[str] = []
        self._kept: list[_Element] = []  # the open elements from the outermost one that is kept
        self._size = 0  # characters in them
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._entity

    def placemarks_of(self, file: IO[bytes]) -> Iterator[_Element]:
        """Yield the placemarks in the order of the text; raise `InputError` where it is broken."""
        start, block = True, b" "
        while block:
            try:
                block = file.read(_BLOCK)
                self._parser.Parse(block.lstrip() if start else block, not block)
            except (expat.ExpatError, *UNREADABLE) as error:
                raise InputError(f"'{self._name}' cannot be read as KML ({error}). It may be damaged or incomplete: export it again.") from None
            start = False
            yield from self.placemarks
            self.placemarks.clear()

    def _local(self, tag: str) -> str:
        """Return the name without the prefix of KML or of Google's extensions; other vocabularies keep theirs."""
        prefix, _, name = tag.rpartition(":")
        return name if prefix in ("", "gx", self._prefix) else tag

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._open:
            self._prefix = tag.rpartition(":")[0]
            if self._local(tag) not in _OUTERMOST:
                raise InputError(f"'{self._name}' is not KML: its outermost element is <{tag}>.")
        name = self._local(tag)
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise InputError(f"'{self._name}' cannot be read as KML: its elements are nested too deeply.")
        if self._kept or name in ("Placemark", "Schema", "NetworkLink"):
            element = _Element(name, attributes)
            if self._kept:
                self._kept[-1].children.append(element)
            self._kept.append(element)

    def _text(self, text: str) -> None:
        if self._kept:
            self._kept[-1].texts.append(text)
            self._size += len(text)
            if self._size > _LARGEST_PLACEMARK:
                raise InputError(f"'{self._name}' cannot be read as KML: it has a placemark of more than {_LARGEST_PLACEMARK:,} characters.")

    def _end(self, tag: str) -> None:
        self._open.pop()
        if not self._kept:
            return
        element = self._kept.pop()
        if self._kept:
            return
        self._size = 0
        if element.name == "Placemark":
            self.placemarks.append(element)
        elif element.name == "Schema":
            fields = {each.attributes.get("name", ""): each.attributes.get("type", "") for each in element.each("SimpleField")}
            self.types[element.attributes.get("id", "")] = fields
        else:
            self.links += [text for text in (element.text_of("Link", "href"), element.text_of("Url", "href")) if text]

    def _entity(self, *declaration: Any) -> None:
        raise InputError(f"'{self._name}' declares the XML entity '{declaration[0]}', which no plot file needs, and is refused. Export it again.")


def read_kml(path: str) -> Iterator[SourceFeature]:
    """Yield all placemarks of all folders; of a KMZ those of its main document and of the documents inside that it links to."""
    name = os.path.basename(path)
    row = 0
    for file in _documents(path, name):
        document = _Document(name)
        for placemark in document.placemarks_of(file.stream):
            row += 1
            yield _feature(row, placemark, document.types)
        file.links += document.links


def check_kml(path: str) -> None:
    """Read until the first placemark; raise `InputError` if there is no KML in the file."""
    next(read_kml(path), None)


@dataclass
class _File:
    """An open KML text; the reader leaves here what it links to."""

    stream: IO[bytes]
    links: list[str] = field(default_factory=list)


def _documents(path: str, name: str) -> Iterator[_File]:
    if not path.lower().endswith(".kmz"):
        with open(path, "rb") as stream:
            yield _File(stream)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _linked_documents(archive, name)
    except UNREADABLE as error:
        raise InputError(f"'{name}' is not a readable KMZ ({error}). Export it again.") from None


def _linked_documents(archive: zipfile.ZipFile, name: str) -> Iterator[_File]:
    entries = archive.infolist()
    for entry in entries:
        refuse_unsafe(entry, name)
    texts = [entry.filename for entry in entries if entry.filename.lower().endswith(".kml")]
    if not texts:
        raise InputError(f"'{name}' holds no KML document. Export it again.")
    wanted, done = ["doc.kml" if "doc.kml" in texts else texts[0]], set()
    while wanted:
        chosen = wanted.pop(0)
        if chosen in texts and chosen not in done:
            done.add(chosen)
            with archive.open(chosen) as stream:
                file = _File(stream)
                yield file
            wanted += [_place(chosen, link) for link in file.links]


def _place(document: str, link: str) -> str:
    """Return the name in the archive of what a document there links to."""
    folder = document.rpartition("/")[0]
    return posixpath.normpath(posixpath.join(folder, unquote(link)))


def _feature(row: int, placemark: _Element, types: Mapping[str, Mapping[str, str]]) -> SourceFeature:
    feature = SourceFeature(row, _attributes(placemark, types), feature_id=placemark.attributes.get("id"))
    geometries = [child for child in placemark.children if child.name in _GEOMETRIES]
    try:
        feature.geometry = _wkb(geometries) if geometries else None
    except ValueError as error:
        feature.problem = f"the geometry cannot be read: {error}"
    return feature


def _attributes(placemark: _Element, types: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return name, description, times and the extended data; a field of the data wins over one of the placemark that has its name."""
    found: dict[str, Any] = {
        "Name": placemark.text_of("name"), "description": placemark.text_of("description"), "timestamp": placemark.text_of("TimeStamp", "when"),
        "begin": placemark.text_of("TimeSpan", "begin"), "end": placemark.text_of("TimeSpan", "end"), "snippet": placemark.text_of("Snippet"),
    }  # fmt: skip
    found = {name: value for name, value in found.items() if value is not None or name == "Name"}
    for data in placemark.each("ExtendedData"):
        for item in data.each("Data"):
            value = item.first("value")
            found[item.attributes.get("name", "")] = value and value.text
        for schema in data.each("SchemaData"):
            typed = types.get(schema.attributes.get("schemaUrl", "").rpartition("#")[2], {})
            for item in schema.each("SimpleData"):
                name = item.attributes.get("name", "")
                found[name] = _typed(item.text, typed.get(name, ""))
    return found


def _typed(text: str, kind: str) -> Any:
    """Return a value of the type that the file's schema declares; the text itself where it is no such value."""
    if not text:
        return None if kind in (*_WHOLE, *_FRACTIONS, "bool") else text
    if kind == "bool":
        return {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
    with contextlib.suppress(ValueError):
        return int(text) if kind in _WHOLE else float(text) if kind in _FRACTIONS else text
    return text


def _wkb(geometries: Sequence[_Element]) -> bytes:
    shape, points = Shape(), [np.empty((0, 2))]
    for geometry in geometries:
        _collect(geometry, shape, points)
    shape.points = np.concatenate(points)
    return shape_wkb(shape)


def _collect(geometry: _Element, shape: Shape, points: list[Ring]) -> None:
    """Add a geometry to shape and points, collections taken apart; raise ValueError where it is no place or its coordinates are no numbers."""
    if geometry.name == "MultiGeometry":
        for child in geometry.children:
            if child.name in _GEOMETRIES:
                _collect(child, shape, points)
    elif geometry.name == "Polygon":
        sides = [*geometry.each("outerBoundaryIs"), *geometry.each("innerBoundaryIs")]
        shape.polygons.append([_positions(ring) for side in sides for ring in side.each("LinearRing")])
    elif geometry.name == "Point":
        points.append(_positions(geometry))
    elif geometry.name in ("LineString", "LinearRing"):
        shape.lines.append(_positions(geometry))
    else:
        raise ValueError(f"a {geometry.name} is not a plot: a point or a polygon is needed")


def _positions(element: _Element) -> Ring:
    """Return (n, 2) longitudes and latitudes of an element's `coordinates`; heights are dropped."""
    text = " ".join(child.text for child in element.each("coordinates"))
    positions = [position.rstrip(",").split(",") for position in text.split()]
    if not all(map(_is_position, positions)):  # blanks beside the commas
        positions = [position.split(",") for position in _COMMA.sub(",", text).split()]
    wrong = next((position for position in positions if not _is_position(position)), None)
    if wrong is not None:
        raise ValueError(f"a position is longitude,latitude or longitude,latitude,height, not '{','.join(wrong)[:60]}'")
    return np.array([(float(position[0]), float(position[1])) for position in positions], np.float64).reshape(-1, 2)


def _is_position(numbers: Sequence[str]) -> bool:
    return 2 <= len(numbers) <= 3 and all(numbers)
