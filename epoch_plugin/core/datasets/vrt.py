"""Plain mosaics (VRT) taken apart into their tiles: what is missing, sparse or masked in a tile is then seen as such.

Read as one file, a VRT fills gaps and the empty blocks of its sources with a value, which would then pass for an answer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.datasets.gdal_state import gdal_exceptions
from epoch_plugin.core.datasets.paths import is_remote

MOST_TILES = 2000  # opening more files one by one would take longer than reading the mosaic
_ELEMENT, _TEXT = 0, 1
_KNOWN = {"SourceFilename", "SourceBand", "SourceProperties", "SrcRect", "DstRect", "NODATA"}


@dataclass(frozen=True)
class _Source:
    path: str
    band: int
    nodata: float | None
    box: tuple[float, float, float, float]  # first column, first row, columns, rows of the mosaic


def mosaic_tiles(path: str, band: int) -> list[tuple[str, int]] | None:
    """Return files and bands of a plain mosaic, None for any other raster.

    Plain: local whole files side by side, without resampling, overlap, rescaling, masks or a nodata value that differs from theirs.
    """
    from osgeo import gdal

    if not path.lower().endswith(".vrt") or is_remote(path):
        return None
    with gdal_exceptions():
        try:
            dataset = gdal.OpenEx(path, gdal.OF_RASTER | gdal.OF_READONLY)
            root = gdal.ParseXMLString(dataset.GetMetadata("xml:VRT")[0])
        except (RuntimeError, TypeError, IndexError):
            return None  # describing the file will say what is wrong with it
        bands = [node for node in _children(root, "VRTRasterBand")]
        if dataset.GetDriver().ShortName != "VRT" or _children(root, "MaskBand") or not 1 <= band <= len(bands) or _attribute(root, "subClass"):
            return None
        sources = _sources(bands[band - 1], os.path.dirname(path))
        nodata = dataset.GetRasterBand(band).GetNoDataValue()
        plain = sources is not None and all(_fits(source, dataset, nodata) for source in sources)
    if not plain or not sources or len(sources) > MOST_TILES or any(source.nodata not in (None, nodata) for source in sources) or _overlap(sources):
        return None
    return [(source.path, source.band) for source in sources]


def _sources(band: list[Any], folder: str) -> list[_Source] | None:
    found = []
    for node in band[2:]:
        if node[0] != _ELEMENT or node[1] in ("NoDataValue", "ColorInterp", "ColorTable", "Description", "Metadata", "Histograms", "CategoryNames"):
            continue
        source = _source(node, folder) if node[1] in ("SimpleSource", "ComplexSource") else None
        if source is None:
            return None
        found.append(source)
    return found


def _source(node: list[Any], folder: str) -> _Source | None:
    parts = {child[1]: child for child in node[2:] if child[0] == _ELEMENT}
    if set(parts) - _KNOWN or _attribute(node, "resampling") or not {"SourceFilename", "SrcRect", "DstRect"} <= set(parts):
        return None
    try:
        band = int(_text(parts.get("SourceBand")) or 1)  # "mask,1" is no number
        nodata = float(_text(parts["NODATA"])) if "NODATA" in parts else None
        src, dst = (tuple(float(_attribute(parts[name], key)) for key in ("xOff", "yOff", "xSize", "ySize")) for name in ("SrcRect", "DstRect"))
    except ValueError:
        return None
    if src[:2] != (0, 0) or src[2:] != dst[2:] or any(value != int(value) for value in dst):
        return None
    name = _text(parts["SourceFilename"])
    if _attribute(parts["SourceFilename"], "relativeToVRT") == "1":
        name = os.path.join(folder, name)
    return _Source(name, band, nodata, (dst[0], dst[1], dst[2], dst[3]))


def _fits(source: _Source, mosaic: Any, nodata: float | None) -> bool:
    """Tell whether a tile is a whole, plain file that lies where the mosaic puts it and tags the mosaic's nodata value."""
    from osgeo import gdal

    if is_remote(source.path):
        return False
    try:
        dataset = gdal.OpenEx(source.path, gdal.OF_RASTER | gdal.OF_READONLY)
    except RuntimeError:
        return True  # a missing tile is named when it is described
    if source.band > dataset.RasterCount or dataset.GetDriver().ShortName == "VRT" or (dataset.RasterXSize, dataset.RasterYSize) != source.box[2:]:
        return False
    band = dataset.GetRasterBand(source.band)
    return band.GetNoDataValue() == nodata and not band.GetScale() and not band.GetOffset() and _in_place(source, dataset, mosaic)


def _in_place(source: _Source, dataset: Any, mosaic: Any) -> bool:
    """Compare georeferences: a mosaic may give its files another one than they carry."""
    own, whole = dataset.GetGeoTransform(can_return_null=True), mosaic.GetGeoTransform(can_return_null=True)
    crs, other = dataset.GetSpatialRef(), mosaic.GetSpatialRef()
    if own is None or whole is None or crs is None or other is None or not crs.IsSame(other):
        return False
    column, row = (own[0] - whole[0]) / whole[1] - source.box[0], (own[3] - whole[3]) / whole[5] - source.box[1]
    return bool(abs(column) < 0.01 and abs(row) < 0.01)


def _overlap(sources: list[_Source]) -> bool:
    boxes = sorted(source.box for source in sources)
    for i, (x, y, width, height) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            if other[0] >= x + width:
                break
            if other[1] < y + height and y < other[1] + other[3]:
                return True
    return False


def _children(node: list[Any], name: str) -> list[list[Any]]:
    return [child for child in node[2:] if child[0] == _ELEMENT and child[1] == name]


def _attribute(node: list[Any], name: str) -> str:
    return next((str(child[2][1]) for child in node[2:] if child[0] not in (_ELEMENT, _TEXT) and child[1] == name), "")


def _text(node: list[Any] | None) -> str:
    return "" if node is None else next((str(child[1]) for child in node[2:] if child[0] == _TEXT), "")
