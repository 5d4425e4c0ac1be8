"""Reason codes of every statistic: why a plot's row says what it says, and what it rests on; one plain sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Reason = dict[str, Any]

LONG_EDGES = 1e-4

SENTENCES: dict[str, str] = {
    # any statistic
    "missing_layer": "This layer is needed and was not bound in the datasets file.",
    "area_assumed": "A point without a declared area was assessed as a circle of the assumed area.",
    "long_edges": "The plot's edges are so long that straight lines in the raster's projection enclose another area than on the ground.",
    "not_processed": "No result is stored for this plot and window.",
    "no_data": "No layer of this role has data in the plot.",
    # many plots in one row
    "not_additive": "This statistic of the whole does not follow from those of its plots, so it is given per plot only.",
    # regions and their reference areas
    "coarse_borders": "The region's border is that of a small-scale map, and some plots lie so near it that it may not be theirs.",
    "reference_no_commodity": "The collection's crop is none that a layer can be bound for, so there is no reference area.",
    "reference_missing": "No layer of this commodity is bound, so there is no reference area.",
    "reference_undated": "The year of the commodity's layer is not known.",
    "reference_empty": "The commodity's layer shows none of it in this region outside the collection's plots.",
    "reference_partly": "The commodity's layer has data in a part of the region only: the reference is that of this part.",
    "reference_sampled": "The region is too large to be read whole: the reference comes from a systematic sample of squares.",
    "reference_not_assessed": "Too little of the reference area was seen by this statistic to compare with it.",
    # deforestation
    "not_assessed:coverage": "Too little of the plot was seen in the baseline and in every counted year to say that nothing happened.",
    "year_not_covered": "No detection system with data in the plot has a record that covers this year.",
    "year_partly_covered": "Only dated alerts cover this year, and their record ends within it.",
    "single_system": "Fewer than two detection systems saw enough of the plot in all assessed years, so no error can be given.",
    "below_min_area": "Something was flagged, but less than the smallest area that counts.",
    "boundary_year": "The detection rests on 2021 alone, the first year after the cut-off: a yearly layer cannot date it finer.",
    "edge_only": "The whole deciding area lies in cells whose centre is outside the plot.",
    "context_missing": "This context layer was not bound or has no data here, so its column of the alert rule did not apply.",
    "commodity_undated": "This commodity layer is of a later or unknown year, so it cannot show that trees were a crop before the cut-off.",
    # biomass and emissions
    "one_stock_year": "Only one year of this stock is bound for the window, so its change cannot be told.",
    "stock_years_differ": "The change of soil carbon is measured between other years than that of biomass.",
    "no_land_use": "Neither land cover of two years nor a deforestation result says where land use changed, so the change has no cause.",
    "land_use_partly": "Part of the plot has neither land cover of two years nor a deforestation result; its change counts as biogenic.",
    "land_cover_years": "The land cover maps do not begin and end with the window: conversions are told between the years named.",
    "loss_after_last_stock": "Land was converted after the year of the last stock: that loss is not in the change.",
    "loss_before_first_stock": "Land was converted before the first stock was mapped: that loss is not in the change.",
    "sd_coverage": "The standard deviation of biomass has data in too little of the assessed area.",
    # biodiversity
    "cell_size": "The canopy heights have cells of this size (m): the score cannot be compared with scores of other cell sizes, such as 10 m.",
    "no_rao": "Too few of the cells around those of the plot have a canopy height for Rao's Q, so there is no score.",
    # water
    "no_common_year": "No year of the window has both precipitation and potential evapotranspiration with data in the plot.",
    "pet_not_positive": "Potential evapotranspiration adds up to nothing or less, so nothing can be divided by it.",
    "few_reference_years": "Fewer than five reference years have data in the plot.",
    "no_variation": "All reference years are alike, so an anomaly has no scale.",
    "reference_includes_window": "Fewer than five years before the window are bound, so the window's own years are among the reference years.",
    "no_window_year": "No year of the window is bound with data in the plot.",
    "earlier_year": "The window's last year has no layer with data in the plot: the value is that of the year named.",
}


def reason(code: str, subject: str | int | None = None, **numbers: Any) -> Reason:
    """Return a reason; `subject` (a role or a year) is appended to the code as `code:subject`."""
    if code not in SENTENCES:
        raise KeyError(code)
    return {"code": code if subject is None else f"{code}:{subject}", **numbers}


def sentence(code: str) -> str:
    """Return the plain sentence of a reason code, also of one with a subject."""
    return SENTENCES.get(code) or SENTENCES.get(code.split(":")[0], code)


def shape_reasons(area_ha: float, cells_ha: float | None, flags: Sequence[str]) -> list[Reason]:
    """Return what a plot's shape is to blame for; `cells_ha` = area of its cells, None where it reaches outside the grid."""
    found = []
    if "area_assumed" in flags:
        found.append(reason("area_assumed", area_ha=area_ha))
    if cells_ha is not None and area_ha > 0 and abs(cells_ha / area_ha - 1) > LONG_EDGES:
        found.append(reason("long_edges", ratio=cells_ha / area_ha))
    return found
