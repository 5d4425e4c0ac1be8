"""What would be staged: a look at a plot source before anything is stored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from epoch_plugin.core.collections.crop_types import find_crop
from epoch_plugin.core.collections.plots import Plot, StageOptions, canonical_plots
from epoch_plugin.core.collections.report import BadFeature, StageReport
from epoch_plugin.core.collections.shapes import parse_wkb
from epoch_plugin.core.collections.source import PlotSource, SourceFeature
from epoch_plugin.core.progress import Progress
from epoch_plugin.core.regions.countries import Borders, country_name, vote

SHOWN_PLOTS = 2000  # shapes kept for the map
_CROP_FIELDS = ("crop", "croptype", "commodity", "culture", "cultivo", "cultura", "product", "produit", "producto", "produto", "komoditas")


@dataclass(frozen=True)
class PlotsPreview:
    """What was recognised in a source; `shapes` are WKB MULTIPOLYGONs (EPSG:4326) of the first plots, `area_ha` the sum of all.

    `country` is a name and `crop_type` one of METHODS' commodities, both empty where nothing tells; `accuracy_m` None is unknown.
    """

    name: str
    crs: str
    transformation: str
    accuracy_m: float | None
    fields: tuple[str, ...]
    id_field: str
    read: int
    plots: int
    points: int
    assumed_areas: int
    duplicate_ids: int
    mended: int
    area_ha: float
    bad: tuple[BadFeature, ...]
    shapes: tuple[bytes, ...]
    extent: tuple[float, float, float, float] | None
    country: str
    crop_type: str


def preview_plots(source: PlotSource, options: StageOptions, borders: str | None, progress: Progress) -> PlotsPreview:
    """Read a source as staging would and return what was recognised; raises `InputError` where staging would."""
    progress.step(0.0, "Reading plots")
    report, look = StageReport(), _Look()
    watched = PlotSource(source.name, source.crs, look.watch(source.features), source.sha256, source.default_crs)
    for item in canonical_plots(watched, options, report, progress):
        look.take(item)
    progress.step(0.9, "Finding the country")
    return PlotsPreview(
        name=source.name, crs=report.source_crs, transformation=report.transformation, accuracy_m=report.transformation_accuracy_m,
        fields=tuple(look.fields), id_field=report.plot_id_field or "", read=report.read, plots=report.stored, points=report.points,
        assumed_areas=report.assumed_areas_count, duplicate_ids=report.duplicate_plotids_count, mended=report.mended_count, area_ha=look.area_ha,
        bad=tuple(look.bad), shapes=tuple(look.shapes), extent=look.extent, country=_country(look.centres, borders),
        crop_type=look.crop_type(source.name),
    )  # fmt: skip


class _Look:
    """What is kept while the source streams by."""

    def __init__(self) -> None:
        self.fields: dict[str, None] = {}
        self.bad: list[BadFeature] = []
        self.shapes: list[bytes] = []
        self.area_ha = 0.0
        self.centres: list[tuple[float, float]] = []
        self.extent: tuple[float, float, float, float] | None = None
        self._crops: Counter[str] = Counter()

    def watch(self, features: Iterable[SourceFeature]) -> Iterator[SourceFeature]:
        for feature in features:
            for name, value in feature.attributes.items():
                self.fields.setdefault(name)
                if re.sub(r"[\s_\-]", "", name).lower() in _CROP_FIELDS and (crop := find_crop(str(value or ""))):
                    self._crops[crop] += 1
            yield feature

    def take(self, item: Plot | BadFeature) -> None:
        if isinstance(item, BadFeature):
            self.bad.append(item)
            return
        self.area_ha += item.area
        points = np.concatenate([rings[0] for rings in parse_wkb(item.polygon).polygons])
        (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        self.centres.append(((west + east) / 2, (south + north) / 2))
        known = self.extent or (west, south, east, north)
        self.extent = (min(known[0], west), min(known[1], south), max(known[2], east), max(known[3], north))
        if len(self.shapes) < SHOWN_PLOTS:
            self.shapes.append(item.polygon)

    def crop_type(self, name: str) -> str:
        """Return the most frequent commodity of the attributes, else one that the source's name holds."""
        if self._crops:
            return self._crops.most_common(1)[0][0]
        words = re.findall(r"[^\W\d_]+", name.lower())
        return next((crop for word in words if (crop := find_crop(word))), "")


def _country(centres: list[tuple[float, float]], borders: str | None) -> str:
    if not borders or not centres:
        return ""
    points = np.array(centres)
    result = vote(Borders(borders).locate(points[:, 0], points[:, 1]), np.ones(len(points), bool))
    return country_name(result.code) if result and result.votes * 2 >= result.total else ""
