"""Canonical texts, hashes, the collection's id and the plots' uuids, as staging makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.runs.common import Plots
from bench.scale import Cache

TEXTS, HASHES = 1_000, 10_000  # plots whose texts, and whose hashes, staging makes in one go


def prepare(cache: Cache, count: int) -> Callable[[], dict[str, Any]]:
    """Polygons are parsed before the clock starts: staging has them as arrays."""
    from epoch_plugin.core.collections.canonical_text import polygon_texts
    from epoch_plugin.core.collections.ids import CollectionIdBuilder, geometry_hash, plot_uuids
    from epoch_plugin.core.collections.shapes import parse_wkb
    from epoch_plugin.core.store import plots

    staged = Plots(cache, count)
    with staged.store.reading() as connection:
        rows = [(row.plotid, parse_wkb(row.polygon).polygons, row.metadata, row.soliditysha3_256_hash, row.uuid)
                for row in plots.of_collection(connection, staged.collection)]  # fmt: skip

    def work() -> dict[str, Any]:
        texts: list[str] = []
        hashes: list[str] = []
        for first in range(0, len(rows), TEXTS):
            texts += polygon_texts([row[1] for row in rows[first : first + TEXTS]])
        for first in range(0, len(rows), HASHES):
            hashes += geometry_hash(texts[first : first + HASHES])
        builder = CollectionIdBuilder("bench")
        for row, text in zip(rows, texts):
            builder.add(row[0], text, row[2])
        uuids = list(plot_uuids(builder.collection_id, texts, 1))
        if (builder.collection_id, hashes, uuids) != (staged.collection, [row[3] for row in rows], [row[4] for row in rows]):
            raise RuntimeError("ids differ from those that staging stored")
        return {"plots": len(rows)}

    return work
