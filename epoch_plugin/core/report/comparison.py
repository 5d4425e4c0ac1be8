"""What all statistics say of a collection, beside the rest of its commodity around it (METHODS section 7): rows for lines and page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from epoch_plugin.core.fetch.supply_shed import ALL, DEFAULT_STATS, SUPPLY_SHED, SupplyShedRequest, fetch_supply_shed
from epoch_plugin.core.metrics.reasons import sentence
from epoch_plugin.core.report.numbers import plots, significant
from epoch_plugin.core.store import collections, jobs
from epoch_plugin.core.store.store import Store

DEFORESTATION, EMISSIONS, BIODIVERSITY, WATER = DEFAULT_STATS
REGIONS_SHOWN, SHOWN_FROM = 2, 0.05  # beside the supply base: those with most of the plots, if they hold this share of them
NOTES = 4  # reasons named per statistic
TITLES = {DEFORESTATION: "Forest loss", EMISSIONS: "Biomass and emissions", BIODIVERSITY: "Biodiversity", WATER: "Water"}
UNKNOWN = "–"


@dataclass(frozen=True)
class Figure:
    """One figure of an aggregate: the field, times `factor`; `sd`: the field of its standard deviation."""

    label: str
    field: str
    factor: float = 1.0
    sd: str = ""


FIGURES: dict[str, tuple[Figure, ...]] = {
    DEFORESTATION: (Figure("share of assessed area, %", "noncompliance_area_perc", 100.0),),
    EMISSIONS: (
        Figure("land-use change, tCO2e/year", "luc_tco2eyear", sd="luc_uncertainty_sd"),
        Figure("land-use change, tCO2e/ha/year", "luc_tco2ehayear"),
        Figure("the same over 20 years, tCO2e/ha/year", "luc_amortised_tco2ehayear"),
        Figure("other biomass, tCO2e/ha/year", "biogenic_tco2ehayear"),
        Figure("removals therein, tCO2e/ha/year", "removal_tco2ehayear"),
        Figure("soil carbon, tCO2e/ha/year", "soc_tco2ehayear"),
    ),
    BIODIVERSITY: (Figure("diversity score, 0 to 1", "diversity_score"), Figure("canopy height, m", "annual_chm")),
    WATER: (
        Figure("water stress, 0 to 5", "water_stress_index"),
        Figure("precipitation / evaporative demand", "precipitation_pet_ratio"),
        Figure("soil moisture, percentile", "soil_moisture_percentile"),
        Figure("evapotranspiration, anomaly in SD", "evapotranspiration_anomaly"),
    ),
}


@dataclass(frozen=True)
class Row:
    """A figure of the collection and of each column's reference area, as text."""

    label: str
    own: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """One statistic's rows, and what the numbers rest on or lack."""

    statistic: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return the statistic's name for people."""
        return TITLES[self.statistic]


@dataclass(frozen=True)
class Comparison:
    """All processed statistics of a collection; `columns` names the reference areas."""

    columns: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()


def compare(store: Store, collection_id: str, start: str | None = None, end: str | None = None) -> Comparison:
    """Add up the statistics that were processed for a collection, beside its regions; empty without any."""
    with store.reading() as connection:
        collection = collections.find(connection, collection_id)
        done = {name for job in jobs.for_collection(connection, collection_id) if job.status == "completed" for name in job.stats}
    stats = tuple(name for name in DEFAULT_STATS if name in done)
    if not stats:
        return Comparison()
    with fetch_supply_shed(store, SupplyShedRequest(collection_id, ALL, stats, start=start, end=end, limit=0)) as result:
        regions = [feature.properties for feature in result.features]
    own = next(region for region in regions if region["stat_type"] == SUPPLY_SHED)
    least = SHOWN_FROM * own["commodity_plot_no"]
    others = sorted(
        (region for region in regions if region is not own and region["commodity_plot_no"] >= least), key=lambda region: -region["commodity_plot_no"]
    )
    compared = [region for region in (own, *others[:REGIONS_SHOWN]) if any(region.get(f"{figure.field}_ref") is not None for figure in _all(stats))]
    crop = collection.crop_type or "land"
    columns = tuple(_column(crop, region, region is own, stats) for region in compared)
    return Comparison(columns, tuple(_family(name, own, compared) for name in stats))


def _column(crop: str, region: Mapping[str, Any], around: bool, stats: tuple[str, ...]) -> str:
    """Return what a reference area is: the rest of the crop, as its newest layer shows it, within the collection's hull or a region."""
    years = [year for figure in _all(stats) if (year := region.get(f"{figure.field}_ref_year")) is not None]
    of = f" of {max(years)}" if years else ""
    return f"other {crop}{of} {'between the plots' if around else 'in ' + region['region_name']}"


def _all(stats: tuple[str, ...]) -> list[Figure]:
    return [figure for name in stats for figure in FIGURES[name]]


def _family(statistic: str, own: Mapping[str, Any], compared: list[dict[str, Any]]) -> Family:
    rows = [Row(figure.label, _own(figure, own), tuple(_reference(figure, region) for region in compared)) for figure in FIGURES[statistic]]
    found = {item["code"]: item.get("plots", 0) for item in json.loads(own.get(f"{statistic}_reasons") or "[]")}
    telling = sorted(((count, code) for code, count in found.items() if count), key=lambda item: (-item[0], item[1]))[:NOTES]
    return Family(statistic, tuple(rows), tuple(_EXTRA[statistic](own) + [_note(code, count) for count, code in telling]))


def _own(figure: Figure, values: Mapping[str, Any]) -> str:
    value = values[figure.field]
    if isinstance(value, str):  # years of a stock or a height: the newest
        years = {name: each for name, each in json.loads(value).items() if name.isdigit() and each is not None}
        return f"{significant(years[max(years)])} ({max(years)})" if years else UNKNOWN
    if value is None:
        return UNKNOWN
    sd = values[figure.sd] if figure.sd else None
    return significant(value * figure.factor) + (f" (SD {significant(sd)})" if sd is not None else "")


def _reference(figure: Figure, values: Mapping[str, Any]) -> str:
    """Return the reference value with its standard error, or that it is that of all cells."""
    value, error, n = (values.get(f"{figure.field}_ref{end}") for end in ("", "_se", "_n"))
    if value is None:
        return UNKNOWN
    if any(item["code"] == "reference_sampled" for item in json.loads(values["reasons"] or "[]")):
        scatter = f" ± {significant(error * figure.factor)}" if error is not None else ""
        return f"{significant(value * figure.factor)}{scatter} ({n:,} squares)"
    return f"{significant(value * figure.factor)} (all {n:,} cells)"


def _emission_notes(values: Mapping[str, Any]) -> list[str]:
    years = json.loads(values["stock_years"]) if values["stock_years"] else None
    return ["Losses of carbon are negative, gains positive." + (f" Stocks of {years[0]} and {years[1]}." if years else "")]


def _water_notes(values: Mapping[str, Any]) -> list[str]:
    return [f"Aridity of the mean ratio: {values['aridity_class']}."] if values["aridity_class"] else []


def _nothing(_: Mapping[str, Any]) -> list[str]:
    return []


_EXTRA: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    DEFORESTATION: _nothing, EMISSIONS: _emission_notes, BIODIVERSITY: _nothing, WATER: _water_notes,
}  # fmt: skip


def _note(code: str, count: int) -> str:
    subject = code.partition(":")[2]
    return f"{plots(count)}{f', {subject}' if subject else ''}: {sentence(code)}"


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return the rows as aligned lines, a title per statistic; nothing where only deforestation was processed, which has lines of its own."""
    if not any(family.statistic != DEFORESTATION for family in comparison.families):
        return []
    table = [("Compared", "this collection", *comparison.columns)]
    for family in comparison.families:
        table.append((family.title,))
        table += [(f"  {row.label}", row.own, *row.references) for row in family.rows]
    widths = [max(len(line[k]) for line in table if len(line) > k) for k in range(len(table[0]))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip() for line in [("",), *table]]
