"""The look before staging says what staging will do."""

from __future__ import annotations

import json

import pytest

from epoch_plugin.core.collections.plots import StageOptions
from epoch_plugin.core.collections.readers import open_source
from epoch_plugin.core.errors import InputError
from epoch_plugin.core.preview import SHOWN_PLOTS, preview_plots
from epoch_plugin.core.progress import NoProgress
from epoch_plugin.core.staging import StageRequest, stage_plots
from epoch_plugin.core.store.store import Store


def square(lon, lat, side=0.001):
    return [[[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]]


def write(path, features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return str(path)


def feature(rings, **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": rings}}


def test_preview_says_what_staging_then_does(tmp_path):
    bow = [[[-6.5, 7.5], [-6.4, 7.6], [-6.4, 7.5], [-6.5, 7.6], [-6.5, 7.5]]]
    features = [feature(square(-6.5, 7.4), plotId="a", Culture="Cacao"), feature(square(-6.51, 7.4), plotId="b", Culture="Cacao"),
                feature(bow, plotId="c", Culture="café")]  # fmt: skip
    path = write(tmp_path / "farms.geojson", features)
    seen = preview_plots(open_source(path), StageOptions(), None, NoProgress())
    assert (seen.read, seen.plots, len(seen.shapes), [bad.plotid for bad in seen.bad]) == (3, 2, 2, ["c"])
    assert (seen.id_field, seen.fields, seen.crop_type, seen.country) == ("plotId", ("plotId", "Culture"), "cocoa", "")
    assert seen.extent == pytest.approx((-6.51, 7.4, -6.499, 7.401))
    assert seen.bad[0].reason_code == "self_crossing" and seen.bad[0].lon is not None
    staged = stage_plots(Store(tmp_path / "s.gpkg"), open_source(path), StageRequest("farms"), NoProgress())
    assert (staged.plot_count, len(staged.invalid)) == (seen.plots, len(seen.bad))
    # a square of 0.001 degrees at 7.4 N: 110.5 m x 110.4 m of the ellipsoid's arcs, 1.22 ha
    assert seen.area_ha == pytest.approx(2 * 1.2207, rel=1e-3)


def test_crop_from_the_name_and_only_the_first_shapes_are_kept(tmp_path):
    many = [feature(square(-6.5 + i * 0.002, 7.4), plotId=str(i)) for i in range(SHOWN_PLOTS + 5)]
    seen = preview_plots(open_source(write(tmp_path / "palm_riau-2024.geojson", many)), StageOptions(), None, NoProgress())
    assert (seen.plots, len(seen.shapes), seen.crop_type) == (SHOWN_PLOTS + 5, SHOWN_PLOTS, "palm")


def test_preview_fails_as_staging_would(tmp_path):
    path = write(tmp_path / "x.geojson", [feature(square(1, 1), a=1)])
    with pytest.raises(InputError, match="has no attribute 'code'"):
        preview_plots(open_source(path), StageOptions(plot_id_field="code"), None, NoProgress())
