"""All plots of a collection with their deforestation check, to NDJSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.prepare import processed_store
from bench.scale import Cache


def prepare(cache: Cache, processed: str) -> Callable[[], dict[str, Any]]:
    """From a store that a batch has processed."""
    from epoch_plugin.core.fetch import ndjson
    from epoch_plugin.core.fetch.request import FetchRequest
    from epoch_plugin.core.fetch.run import fetch
    from epoch_plugin.core.store.store import Store

    store, target = Store(str(processed_store(cache, processed))), cache.scratch / "out.ndjson"
    target.unlink(missing_ok=True)  # to delete what an earlier round wrote is no part of the work

    def work() -> dict[str, Any]:
        with fetch(store, FetchRequest("bench", stats=("eudr_deforestation",), limit=0)) as result:
            return {"plots": ndjson.write(str(target), result)}

    return work
