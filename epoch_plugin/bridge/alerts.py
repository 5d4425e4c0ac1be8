"""Words, colours and line widths of the alerts: the same in layers, legends, thumbnails and docs."""

from __future__ import annotations

from typing import NamedTuple


class Alert(NamedTuple):
    """How one alert is shown: `fill` is solid, hatch or empty (with a dotted outline)."""

    label: str
    colour: str
    fill: str


# Okabe-Ito colours, told apart by colour-blind readers; the fill says the same in print. "" = not assessed.
ALERTS = {
    "critical": Alert("Forest loss detected", "#D55E00", "solid"),
    "non-critical": Alert("Signal, needs a look", "#E69F00", "hatch"),
    "no deforestation": Alert("None detected", "#009E73", "solid"),
    "": Alert("Not assessed: no data", "#999999", "empty"),
}
FILL_ALPHA = 90  # of 255, the same for all: what lies below stays visible, and opacity means nothing
# Millimetres of outline; "no detection" and "not assessed" are drawn like low.
CONFIDENCE_WIDTHS = {"low": 0.3, "medium": 0.6, "high": 1.0}
CONFIDENCE_LABELS = {
    "high": "High confidence",
    "medium": "Medium confidence",
    "low": "Low confidence",
    "no detection": "No detection",
    "": "Not assessed: no data",
}
NOT_ASSESSED = ALERTS[""].label
