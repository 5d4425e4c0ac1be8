"""Opening what a deforestation check rests on: baseline, detection systems, masks; each layer once, whoever looks at it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from epoch_plugin.core.datasets.datasets_file import Datasets
from epoch_plugin.core.datasets.encodings import AlertDateEncoding, ClassesEncoding, LossYearEncoding, MaskEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import open_layer, open_mask
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.metrics.deforestation.systems import AlertCodes, ClassMaskCodes, CoverCodes, LossYearCodes, MaskCodes, System
from epoch_plugin.core.settings import Settings
from epoch_plugin.core.window import MonitoringWindow
from epoch_plugin.core.zonal.kernel import Array, LayerRead

BASELINE = "forest_2020"
TMF_DEGRADED_CLASS = 2


class Bindings:
    """The layers of a datasets file as a deforestation check reads them; `reads` collects entry and read by key.

    `grid` is the analysis grid, on which vector layers are burnt: set it as soon as it is known.
    """

    def __init__(self, datasets: Datasets, window: MonitoringWindow, settings: Settings) -> None:
        """Open nothing yet."""
        self._datasets, self._window, self._settings = datasets, window, settings
        self.grid: Grid | None = None
        self._opened: dict[tuple[int, SourceRef], RasterLayer] = {}
        self.reads: dict[str, tuple[Entry, LayerRead]] = {}

    def rasters(self) -> list[tuple[str, RasterLayer]]:
        """Return role and (first) raster layer of baseline and detection systems: the candidates for the analysis grid."""
        baseline = self._datasets.one(BASELINE)
        entries = [*([baseline] if baseline else []), *self._datasets.detection]
        firsts = [(entry, next(iter(self._bound(entry)), None)) for entry in entries]
        return [(entry.role, self._open(entry, ref)) for entry, ref in firsts if ref is not None and not ref.vector]

    def _bound(self, entry: Entry) -> list[SourceRef]:
        """Return the sources that the check reads of an entry: of a yearly series those of the window, and of the year before."""
        if not entry.series:
            return list(entry.sources[:1])
        first, last = self._window.years[0] - 1, self._window.years[-1]
        return [ref for ref in entry.sources if ref.year is not None and first <= ref.year <= last]

    def _open(self, entry: Entry, ref: SourceRef) -> RasterLayer:
        if ref.vector:
            return open_layer(entry, ref, self.grid)
        if (entry.index, ref) not in self._opened:
            self._opened[entry.index, ref] = open_layer(entry, ref)
        return self._opened[entry.index, ref]

    def _read(self, entry: Entry, key: str, layer: RasterLayer, decode: Callable[[Array], Array]) -> LayerRead:
        self.reads[key] = (entry, LayerRead(key, layer, decode, 0))
        return self.reads[key][1]

    def mask(self, entry: Entry, ref: SourceRef, key: str) -> LayerRead:
        """Return a layer as 0 no data, 1 no, 2 yes; raise `DatasetError` if it cannot say yes or no."""
        if key in self.reads:
            return self.reads[key][1]
        _refuse_mask(entry)
        layer = self._open(entry, ref)
        encoding = entry.encoding
        if isinstance(encoding, ClassesEncoding) and encoding.forest:
            return self._read(entry, key, layer, ClassMaskCodes(encoding, layer.nodata, encoding.forest))
        if not isinstance(encoding, MaskEncoding):
            raise DatasetError(f"Datasets file, {entry.label}: a {encoding.kind} layer cannot say yes or no; give an encoding of kind mask.")
        return self._read(entry, key, layer, MaskCodes(encoding, layer.nodata))

    def baseline(self) -> LayerRead | None:
        """Return the forest baseline, None if none is bound."""
        entry = self._datasets.one(BASELINE)
        return None if entry is None else self.mask(entry, entry.sources[0], BASELINE)

    def systems(self) -> tuple[System, ...]:
        """Return every detection system that is bound, in file order."""
        return tuple(self._system(entry) for entry in self._datasets.detection)

    def _system(self, entry: Entry) -> System:
        if entry.series:
            return self._series(entry)
        layer = self._open(entry, entry.sources[0])
        decode: LossYearCodes | AlertCodes
        if isinstance(entry.encoding, LossYearEncoding):
            decode = LossYearCodes(entry.encoding, layer.nodata, self._window.years)
        elif isinstance(entry.encoding, AlertDateEncoding):
            decode = AlertCodes(entry.encoding, layer.nodata, self._window)
        else:
            raise DatasetError(
                f"Datasets file, {entry.label}: a {entry.encoding.kind} layer does not date a loss; see the docs on detection systems."
            )
        reads = [self._read(entry, entry.role, layer, decode)]
        mask = open_mask(entry)
        if entry.mask is not None and mask is not None:
            reads.append(self._read(entry, f"{entry.role}:mask", mask, MaskCodes(entry.mask.encoding, mask.nodata)))
        return System(entry.role, tuple(reads), tuple(self._record_end(entry, year) for year in self._window.years), self._window.years[0])

    def _record_end(self, entry: Entry, year: int) -> dt.date | None:
        """Return the last day of `year` for which a layer of loss years or dated alerts speaks."""
        if entry.years is None or not entry.years[0] <= year:
            return None
        until = entry.until or dt.date(entry.years[1], 12, 31)
        if until < dt.date(year, 1, 1):
            return None
        return min(until, dt.date(year, 12, 31))

    def _series(self, entry: Entry) -> System:
        _refuse_mask(entry)
        years = self._window.years
        bound = {ref.year: ref for ref in self._bound(entry) if ref.year is not None}
        tells_degraded = entry.role == "tmf" and isinstance(entry.encoding, ClassesEncoding) and TMF_DEGRADED_CLASS in entry.encoding.forest
        degraded = (TMF_DEGRADED_CLASS,) if tells_degraded else ()
        reads = []
        for year, ref in bound.items():
            if not isinstance(entry.encoding, (ClassesEncoding, MaskEncoding)):
                raise DatasetError(f"Datasets file, {entry.label}: a {entry.encoding.kind} layer per year does not say what is forest.")
            layer = self._open(entry, ref)
            reads.append(self._read(entry, f"{entry.role}:{year}", layer, CoverCodes(entry.encoding, layer.nodata, degraded)))
        record = tuple(dt.date(year, 12, 31) if {year - 1, year} <= set(bound) else None for year in years)
        return System(entry.role, tuple(reads), record, years[0], tuple(bound), self._settings.persistence_years)


def _refuse_mask(entry: Entry) -> None:
    """Stop where a mask would be passed over in silence: what it should leave out would count."""
    if entry.mask is not None:
        raise DatasetError(
            f"Datasets file, {entry.label}, key 'mask': a mask limits a layer of loss years or alerts; a {entry.encoding.kind} layer is read "
            "without one. Write the masked values into the file, or leave the key out."
        )
