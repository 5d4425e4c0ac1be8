"""The overview lists collections and jobs without their large columns."""

from __future__ import annotations

from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.collections import CollectionRow
from epoch_plugin.core.store.jobs import JobRow
from epoch_plugin.core.store.overview import overview
from epoch_plugin.core.store.store import Store


def test_overview_is_light_and_complete(tmp_path):
    store = Store(tmp_path / "s.gpkg")
    with store.writing() as conn:
        for name in ("one", "two"):
            collections.add(conn, CollectionRow(f"0x{name}", name, "2025-01-01T00:00:00.000Z", country="Peru", metadata={"big": "x" * 9000}), [])
        for number in (1, 2):
            jobs.create(conn, JobRow(f"j{number}", "0xone", ["eudr_deforestation"], "2020-12-31", "2025-12-31", f"k{number}", provenance={"a": 1}))
    with store.reading() as conn:
        found = overview(conn)
    assert [(item.collection.collection_name, [job.job_id for job in item.jobs]) for item in found] == [("one", ["j2", "j1"]), ("two", [])]
    assert found[0].collection.country == "Peru" and found[0].collection.metadata == {}
    assert found[0].jobs[0].provenance is None and found[0].jobs[0].stats == ["eudr_deforestation"]
