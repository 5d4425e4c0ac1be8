"""Classes of the continuous layers: limits with a meaning, viridis colours, labels with units."""

from __future__ import annotations

from dataclasses import dataclass

VIRIDIS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")


@dataclass(frozen=True)
class Step:
    """One class, low < value <= high; None = open (the lowest class includes its limit)."""

    low: float | None
    high: float | None
    label: str
    colour: str

    def expression(self, field: str) -> str:
        """Return the QGIS expression that selects the class."""
        parts = [f'"{field}" > {self.low}' if self.low is not None else "", f'"{field}" <= {self.high}' if self.high is not None else ""]
        return " AND ".join(part for part in parts if part)


@dataclass(frozen=True)
class Continuous:
    """How one field is shown: style file, statistic, field, title, unit and classes."""

    statistic: str
    field: str
    title: str
    unit: str
    steps: tuple[Step, ...]


def _steps(limits: tuple[float, ...], labels: tuple[str, ...]) -> tuple[Step, ...]:
    edges = (None, *limits, None)
    return tuple(Step(edges[i], edges[i + 1], label, VIRIDIS[i]) for i, label in enumerate(labels))


CONTINUOUS = {
    "luc_emissions": Continuous(
        "luc_emissions", "luc_tco2ehayear", "Land use change (loss negative)", "tCO2e/ha/year",
        _steps((-10.0, -1.0, -0.1, 0.0), (
            "Loss of more than 10 tCO2e/ha/year", "Loss of 1 to 10 tCO2e/ha/year", "Loss of 0.1 to 1 tCO2e/ha/year",
            "None, or loss of less than 0.1 tCO2e/ha/year", "Gain",
        )),
    ),
    "diversity": Continuous(
        "biodiversity", "diversity_score", "Diversity score (0 to 1)", "",
        _steps((0.2, 0.4, 0.6, 0.8), ("0 to 0.2 (uniform, open)", "0.2 to 0.4", "0.4 to 0.6", "0.6 to 0.8", "0.8 to 1 (varied, connected)")),
    ),
    "water_stress": Continuous(
        "water", "water_stress_index", "Water stress index (0 to 5)", "",
        _steps((1.0, 2.0, 3.0, 4.0), ("0 to 1, low", "1 to 2, low to medium", "2 to 3, medium to high", "3 to 4, high", "4 to 5, extremely high")),
    ),
}  # fmt: skip
