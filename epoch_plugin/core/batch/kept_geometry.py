"""Shares of plots in regions and reference areas, kept on disk: they follow from plots, regions and a grid's cell alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from epoch_plugin.core.regions import reference_area
from epoch_plugin.core.regions.reference_area import Bounds, ReferenceArea
from epoch_plugin.core.regions.region import Region
from epoch_plugin.core.regions.shares import Share
from epoch_plugin.core.zonal.array_cache import FORMAT, ArrayCache, cache_folder

_SHARE = np.dtype([("plot", np.int64), ("region", np.int64), ("share", np.float64), ("near_edge", np.bool_)])


class KeptGeometry:
    """What was worked out before of a set of plots; `plots` are their polygons (WKB), in the order in which shares number them."""

    def __init__(self, plots: Iterable[bytes]) -> None:
        """Take the plots for what their coordinates say, whatever collection they are of; they are read when first needed."""
        self._polygons = plots
        self._arrays = ArrayCache(cache_folder())

    @cached_property
    def _plots(self) -> str:
        digest = hashlib.blake2b(digest_size=20)
        for polygon in self._polygons:
            digest.update(len(polygon).to_bytes(8, "little"))
            digest.update(polygon)
        return digest.hexdigest()

    def shares(self, regions: Sequence[Region], near_border_km: float, compute: Callable[[], Iterator[Share]]) -> Iterator[Share]:
        """Yield the plots' shares of regions, kept ones or those of `compute`."""
        if not regions:
            return
        name = self._name("shares", near_border_km, *((region.polygon, region.coarse) for region in regions))
        kept = self._arrays.read(name, 4)
        if kept is None:
            found = np.fromiter(((share.plot, share.region, share.share, share.near_edge) for share in compute()), _SHARE)
            kept = [np.ascontiguousarray(found[column]) for column in found.dtype.names or ()]
            self._arrays.store(name, kept)
        for plot, region, share, near_edge in zip(*kept):
            yield Share(int(plot), int(region), float(share), bool(near_edge))

    def reference(self, region: bytes, extent: Bounds, cell_m2: float, compute: Callable[[], ReferenceArea]) -> ReferenceArea:
        """Return the reference area of a region (WKB) within `extent` for a grid of this cell, a kept one or that of `compute`."""
        sampling = reference_area.EXACT_CELLS, reference_area.SQUARE_CELLS, reference_area.SQUARES, reference_area.TILE
        name = self._name("reference", sampling, extent, cell_m2, region)
        kept = self._arrays.read(name, 3)
        if kept is not None:
            sizes, content, (sampled, fraction, searched) = kept
            ends = np.cumsum(sizes).tolist()
            pieces = tuple(content[start:end].tobytes() for start, end in zip([0, *ends], ends))
            return ReferenceArea(pieces, bool(sampled), float(fraction), float(searched))
        found = compute()
        sizes = np.array([len(piece) for piece in found.pieces], np.int64)
        content = np.frombuffer(b"".join(found.pieces), np.uint8)
        self._arrays.store(name, (sizes, content, np.array([found.sampled, found.fraction, found.searched], np.float64)))
        return found

    def _name(self, what: str, *decided: object) -> str:
        digest = hashlib.blake2b(digest_size=20)
        digest.update(repr((FORMAT, what, self._plots, decided)).encode())
        return f"{digest.hexdigest()}.cov"
