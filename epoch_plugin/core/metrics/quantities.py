"""Measured quantities at cells: one layer, or several (months) that are added or averaged cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoch_plugin.core.datasets.encodings import Encoding, MaskEncoding
from epoch_plugin.core.datasets.entries import Entry, SourceRef
from epoch_plugin.core.datasets.open import encoding_of, open_layers
from epoch_plugin.core.datasets.raster import Grid, RasterLayer
from epoch_plugin.core.errors import DatasetError
from epoch_plugin.core.zonal.kernel import Array, Cells, CellValues, LayerRead

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Numbers:
    """Decodes any encoding to numbers, NaN for no data: measured values, classes, years, days since 1970; a mask's no is 0, its yes 1."""

    encoding: Encoding
    nodata: float | None

    def __call__(self, raw: Array) -> Floats:
        """Return the numbers of raw values."""
        decoded = self.encoding.decode(raw, self.nodata)
        if decoded.dtype.kind == "f":
            return np.asarray(decoded, np.float64)
        values = decoded.astype(np.float64)
        if isinstance(self.encoding, MaskEncoding):
            values -= 1.0
        values[values < 0] = np.nan
        return values


@dataclass(frozen=True)
class Quantity:
    """One number per cell from one layer, or from several by `combine`: only where all of them have data."""

    reads: tuple[LayerRead, ...]
    combine: str = ""

    @property
    def layer(self) -> RasterLayer:
        """Return the (first) layer, whose grid is the quantity's own."""
        return self.reads[0].layer

    def values(self, cells: Cells) -> Floats:
        """Return the quantity at every cell, NaN where any of its layers has no data."""
        total = np.asarray(cells.values[self.reads[0].key], np.float64)
        for read in self.reads[1:]:
            total = total + cells.values[read.key]
        return total / len(self.reads) if self.combine == "mean" else total


@dataclass(frozen=True)
class QuantityKernel:
    """Sums of one quantity on its own grid."""

    quantity: Quantity
    by_values = True

    @property
    def reads(self) -> tuple[LayerRead, ...]:
        """Return the quantity's layers."""
        return self.quantity.reads

    def __call__(self, cells: Cells) -> CellValues:
        """Return the quantity as it is."""
        return CellValues(self.quantity.values(cells))


def open_quantity(entry: Entry, ref: SourceRef, key: str, grid: Grid | None = None) -> Quantity:
    """Open one source of an entry; `key` begins the keys of its reads, `grid` is where a vector source is burnt."""
    refuse_mask(entry)
    layers = open_layers(entry, ref, grid)
    reads = tuple(
        LayerRead(f"{key}:{number}" if len(layers) > 1 else key, layer, Numbers(encoding_of(entry, layer), layer.nodata), np.nan)
        for number, layer in enumerate(layers, start=1)
    )
    return Quantity(reads, ref.combine)


def refuse_mask(entry: Entry) -> None:
    """Stop where a mask would be passed over in silence: what it should leave out would count."""
    if entry.mask is not None:
        raise DatasetError(f"Datasets file, {entry.label}, key 'mask': limits detection systems; this role is read as a whole, so leave it out.")
