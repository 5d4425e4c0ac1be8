"""What the sums of plots say whatever the statistic: areas, counts, windows, places, and what the metadata names."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from epoch_plugin.core.fetch.hull import HullBuilder
from epoch_plugin.core.store import collections
from epoch_plugin.core.store.geometry import blob_wkb
from epoch_plugin.core.store.schema import SUPPLY_SHED_LEGALITY

_ESTATE, _SMALLHOLDER = "estate", "smallholder"
FROM_METADATA = (
    "facility_name", "facility_address", "facility_certainty", "facility_geo", "company_name", "travel_time_min",
    *(column.name for column in SUPPLY_SHED_LEGALITY),
)  # fmt: skip
"""Fields that only metadata of that name can fill, of the collection or, where they agree, of its plots; else null."""


class PlotTotals:
    """Collects plots one by one; `COLUMNS` are read of each."""

    COLUMNS = (
        "p.geom", "p.area", "p.collection_id", "p.facility_id", "p.ingestion_date", "json_extract(p.metadata, '$.system_type')", "c.system_type",
        "p.metadata",
    )  # fmt: skip

    def __init__(self) -> None:
        self.hull = HullBuilder()
        self.area = 0.0
        self._count = 0
        self._by_system = {_ESTATE: 0.0, _SMALLHOLDER: 0.0}
        self._collections: dict[str, None] = {}
        self._facilities: set[str | None] = set()
        self._named: dict[str, set[Any]] = {}
        self._ingested = ""
        self._start: str | None = None
        self._end: str | None = None

    def add(self, row: tuple[Any, ...]) -> None:
        """Add one plot."""
        geom, area, collection_id, facility_id, ingested, own_system, system, metadata = row
        self.hull.add(blob_wkb(geom))
        self.area += area
        self._count += 1
        kind = str(own_system or system or "").strip().casefold()
        if kind in self._by_system:
            self._by_system[kind] += area
        self._collections[collection_id] = None
        self._facilities.add(facility_id)
        self._ingested = max(self._ingested, ingested or "")
        self._add_metadata(metadata or "{}")

    def _add_metadata(self, text: str) -> None:
        names = [name for name in FROM_METADATA if f'"{name}"' in text]  # parsed only where a name occurs
        found = json.loads(text) if names or self._named else {}
        for name in (*names, *(name for name in self._named if name not in names)):
            value = found.get(name)
            known = self._named.setdefault(name, set() if self._count == 1 else {None})
            known.add(value if isinstance(value, (str, int, float, type(None))) else json.dumps(value))

    def add_window(self, start: str, end: str) -> None:
        """Widen the window by that of one stored row."""
        self._start = start if self._start is None else min(self._start, start)
        self._end = end if self._end is None else max(self._end, end)

    def properties(self, connection: sqlite3.Connection) -> dict[str, Any]:
        """Return the values; what differs between several collections is null."""
        rows = [collections.find(connection, collection_id) for collection_id in self._collections]
        one = rows[0] if len(rows) == 1 else None
        metadata = one.own_metadata if one else {}
        found: dict[str, Any] = {name: metadata.get(name, self._agreed(name)) for name in FROM_METADATA}
        for name in ("collection_id", "collection_name", "admin1", "locations_confidence"):
            found[name] = getattr(one, name) if one else None
        found.update(
            uuid=one.collection_id if one else None,
            stat_type="supply_shed",
            region_name=one.collection_name if one else None,
            facility_id=next(iter(self._facilities)) if len(self._facilities) == 1 else None,
            country=_common([row.detected_country or row.country for row in rows]),
            commodity=_common([row.crop_type for row in rows]),
            area_ha_commodity=self.area,
            area_ha_smallholder=self._by_system[_SMALLHOLDER],
            area_ha_estate=self._by_system[_ESTATE],
            commodity_plot_no=self._count,
            monitoring_start=self._start,
            monitoring_end=self._end,
            ingestion_date=self._ingested or None,
            aggregate_area=self.area,
            aggregate_plot_count=self._count,
            metadata=metadata,
        )
        return found

    def _agreed(self, name: str) -> Any:
        values = self._named.get(name, set())
        return next(iter(values)) if len(values) == 1 else None


def _common(values: list[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None
