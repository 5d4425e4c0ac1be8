"""Vector layers as sources: areas and values burnt on a grid, and mistakes named."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from epoch_plugin.core.datasets.open import encoding_of, open_layer
from epoch_plugin.core.datasets.raster import Grid
from epoch_plugin.core.errors import DatasetError
from tests.core.datasets_files import MASK, entry, srs

ogr = pytest.importorskip("osgeo.ogr")

GRID = Grid("EPSG:32630", 0, 100, 10, -10, 10, 10)


def areas(path, kind=None, field_type=None):
    dataset = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = dataset.CreateLayer("polygons", srs(), ogr.wkbPolygon if kind is None else kind)
    layer.CreateField(ogr.FieldDefn("STATUS", ogr.OFTString))
    layer.CreateField(ogr.FieldDefn("score", ogr.OFTReal))
    for status, score in (("Designated", 1.5), ("Proposed", 2.5)):
        feature = ogr.Feature(layer.GetLayerDefn())
        feature["STATUS"], feature["score"] = status, score
        if kind is None:
            feature.SetGeometry(ogr.CreateGeometryFromWkt("POLYGON ((0 0,50 0,50 50,0 50,0 0))"))
        layer.CreateFeature(feature)
    feature = layer = dataset = None


def test_vector_layer(tmp_path):
    areas(tmp_path / "wdpa.gpkg")
    keys = {"role": "wdpa", "encoding": None, "where": "STATUS <> 'Proposed'"}
    for source in ({"source": "wdpa.gpkg", "layer": "polygons"}, {"source": "wdpa.gpkg|layername=polygons"}, {"source": "wdpa.gpkg"}):
        item = entry(tmp_path, **keys, **source)
        layer = open_layer(item, item.sources[0], GRID)
        tile = layer.tiles[0]
        assert (layer.kind, layer.grid, layer.nodata) == ("vector", GRID, None)
        assert (tile.nrows, tile.ncols, tile.block_rows, tile.dtype) == (10, 10, 512, "uint8")
        assert tile.burn is not None
        assert (tile.burn.path, tile.burn.layer, tile.burn.where, tile.burn.outside) == (str(tmp_path / "wdpa.gpkg"), "polygons", keys["where"], 0)
        assert encoding_of(item, layer).decode(np.array([0, 1], "uint8"), layer.nodata).tolist() == [1, 2]
    with pytest.raises(DatasetError, match="analysis grid"):
        open_layer(item, item.sources[0])


def test_vector_values_are_no_data_outside_the_features(tmp_path):
    areas(tmp_path / "aq.gpkg")
    item = entry(tmp_path, role="water_stress", profile="aqueduct4_baseline_annual", encoding=None, source="aq.gpkg", value_field="score")
    layer = open_layer(item, item.sources[0], GRID)
    tile = layer.tiles[0]
    assert tile.dtype == "float64" and tile.burn is not None and math.isnan(tile.burn.outside)
    np.testing.assert_array_equal(encoding_of(item, layer).decode(np.array([1.5, -1, -9999, np.nan]), layer.nodata), [1.5, np.nan, np.nan, np.nan])


def test_vector_mistakes_are_named(tmp_path):
    areas(tmp_path / "a.gpkg")
    areas(tmp_path / "points.gpkg", ogr.wkbPoint)
    for keys, problem in (
        ({"source": "a.gpkg", "layer": "nope"}, "no layer 'nope'; it has polygons"),
        ({"source": "a.gpkg", "where": "NOPE = 1"}, "key 'where'"),
        ({"source": "a.gpkg", "value_field": "nope", "encoding": MASK}, "no field 'nope'; it has STATUS, score"),
        ({"source": "a.gpkg", "value_field": "STATUS", "encoding": MASK}, "holds no numbers"),
        ({"source": "points.gpkg"}, "holds Point, not areas"),
        ({"source": "gone.gpkg"}, "does not exist"),
        ({"source": "tagged.tif", "encoding": MASK}, "holds vectors"),
    ):
        if keys["source"] == "tagged.tif":
            (tmp_path / "tagged.tif").write_text(json.dumps({"type": "FeatureCollection", "features": []}))
        item = entry(tmp_path, **{"role": "wdpa", "encoding": None, **keys})
        with pytest.raises(DatasetError, match=problem):
            open_layer(item, item.sources[0], GRID)
