"""Collections: adding one with its plots, finding, editing and deleting it."""

from __future__ import annotations

import dataclasses
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.errors import InputError, NotFoundError
from epoch_plugin.core.store import jobs, plots
from epoch_plugin.core.store.backup import copy_database
from epoch_plugin.core.store.ddl import refresh_contents
from epoch_plugin.core.store.plots import PlotRow
from epoch_plugin.core.store.rows import decoded, insert_rows, update_row
from epoch_plugin.core.store.schema import TABLES
from epoch_plugin.core.store.store import Store

STAGE_REPORT = "stage_report"
_TABLE = TABLES["collections"]


@dataclass(frozen=True)
class CollectionRow:
    """One collection; JSON columns are Python values, `ingestion_time` is ISO 8601 UTC, `status` one of the contract's words."""

    collection_id: str
    collection_name: str
    ingestion_time: str
    status: str = "staged"
    plot_number: int = 0
    invalid_number: int = 0
    description: str | None = None
    crop_type: str | None = None
    processing_type: str | None = None
    system_type: str | None = None
    country: str | None = None
    detected_country: str | None = None
    country_override_info: dict[str, Any] | None = None
    admin1: str | None = None
    source_name: str | None = None
    source_sha256: str | None = None
    locations_confidence: str | None = None
    validation_report: dict[str, Any] | None = None
    input_payload: Any = None
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def stage_report(self) -> dict[str, Any]:
        """What staging reported; it is kept among the metadata."""
        return self.metadata.get(STAGE_REPORT) or {}

    @property
    def own_metadata(self) -> dict[str, Any]:
        """The metadata that came with the collection."""
        return {key: value for key, value in self.metadata.items() if key != STAGE_REPORT}


def add(connection: sqlite3.Connection, row: CollectionRow, plot_rows: Iterable[PlotRow]) -> int:
    """Insert a collection and its plots (streamed) in the caller's transaction and return the number of plots, also kept as `plot_number`.

    Raises `InputError` if the name, ignoring case, or the id is taken.
    """
    _require_free_name(connection, row.collection_name, None)
    if connection.execute("SELECT 1 FROM collections WHERE collection_id = ?", (row.collection_id,)).fetchone():
        raise InputError(f"The collection {row.collection_id} is already in the store.")
    insert_rows(connection, _TABLE, [dataclasses.asdict(row)])
    number = plots.insert(connection, plot_rows)
    update_row(connection, _TABLE, row.collection_id, {"plot_number": number})
    refresh_contents(connection)
    return number


def find(connection: sqlite3.Connection, id_or_name: str) -> CollectionRow:
    """Return the collection with this id or, ignoring case, this name; raise `NotFoundError` naming those that exist."""
    known = all_rows(connection)
    wanted = _folded(id_or_name)
    for row in known:
        if row.collection_id == id_or_name.strip():
            return row
    for row in known:
        if _folded(row.collection_name) == wanted:
            return row
    names = ", ".join(row.collection_name for row in known[:10]) or "none"
    raise NotFoundError(f"There is no collection '{id_or_name}' in the store. Collections: {names}{', ...' if len(known) > 10 else ''}.")


def find_or_none(connection: sqlite3.Connection, id_or_name: str) -> CollectionRow | None:
    """Return the collection with this id or name, or None."""
    try:
        return find(connection, id_or_name)
    except NotFoundError:
        return None


def all_rows(connection: sqlite3.Connection) -> list[CollectionRow]:
    """Return every collection in the order of staging."""
    return [CollectionRow(**decoded(_TABLE, row)) for row in connection.execute("SELECT * FROM collections ORDER BY fid")]


def update(connection: sqlite3.Connection, collection_id: str, changes: Mapping[str, Any]) -> None:
    """Change columns of a collection; a new name must be free ignoring case; ids never change."""
    if not connection.execute("SELECT 1 FROM collections WHERE collection_id = ?", (collection_id,)).fetchone():
        raise NotFoundError(f"There is no collection {collection_id} in the store.")
    if "collection_id" in changes:
        raise InputError("A collection keeps its id.")
    if "collection_name" in changes:
        _require_free_name(connection, changes["collection_name"], collection_id)
    update_row(connection, _TABLE, collection_id, changes)


def delete(store: Store, id_or_name: str) -> int:
    """Delete a collection with its plots, results and jobs, and return the number of plots.

    The state before is kept beside the store as `<store>.before-delete.gpkg` until the next delete. Raises `InputError`
    while a job of the collection is running.
    """
    with store.writing() as connection:
        row = find(connection, id_or_name)
        running = [job.job_id for job in jobs.for_collection(connection, row.collection_id) if jobs.is_alive(job)]
        if running:
            raise InputError(f"Job {running[0]} is processing '{row.collection_name}': cancel it (epoch:canceljob) before deleting the collection.")
        # The write lock is held: the copy is exactly the state that the delete starts from.
        copy_database(store.path, backup_path(store))
        number = plots.count(connection, row.collection_id)
        of_its_plots = "uuid IN (SELECT uuid FROM plots WHERE collection_id = ?)"
        for name in [name for name in TABLES if name not in ("plots", "store_info")] + ["plots"]:
            condition = "collection_id = ?" if "collection_id" in TABLES[name].by_name else of_its_plots
            connection.execute(f"DELETE FROM {name} WHERE {condition}", (row.collection_id,))  # nosec B608
        refresh_contents(connection)
    return number


def backup_path(store: Store) -> str:
    """Return where the state before the last delete is kept."""
    return f"{store.path}.before-delete.gpkg"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _require_free_name(connection: sqlite3.Connection, name: str, own_id: str | None) -> None:
    if not name.strip():
        raise InputError("A collection needs a name (COLLECTION_NAME).")
    for other_id, other_name in connection.execute("SELECT collection_id, collection_name FROM collections"):
        if other_id != own_id and _folded(other_name) == _folded(name):
            raise InputError(
                f"A collection named '{other_name}' ({other_id}) already exists with other plots: "
                "choose another name, or rename or delete that collection first."
            )
