"""The cards: one figure each, its reference, and how many plots it rests on; a click filters the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.numbers import number, percent, whole
from epoch_plugin.bridge.sentences import code_in_words

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.overview import Figure, Overview, Reference

NAMES = ("plots", "detected", "noncompliance_area_perc", "luc_tco2ehayear", "diversity_score", "water_stress_index")
WANTED = {"agb": "biomass", "chm": "canopy height", "water_stress": "water stress layer", "forest_2020": "forest baseline"}


@dataclass(frozen=True)
class CardText:
    """What one card says: a title, a large value, two lines below, the whole story as tip; `filter` is what a click shows."""

    title: str
    value: str
    below: str
    assessed: str
    tip: str
    filter: dict[str, Any] = field(default_factory=dict)
    known: bool = True
    unit: str = ""  # one that is too long for large letters


def card_texts(overview: Overview) -> dict[str, CardText]:
    """Return the cards of an overview."""
    counts = overview.counts
    assessed = _assessed(counts.assessed, counts.total)
    detected = tr("{n} of {m}").format(n=whole(counts.of("critical")), m=whole(counts.assessed))
    lost = "" if overview.noncompliance_area is None else number(overview.noncompliance_area, "ha")
    why = _why(overview.figures["noncompliance_area_perc"].why)
    texts = {
        "plots": CardText(tr("Plots"), whole(overview.plots), number(overview.area, "ha"), assessed, tr("All plots. A click shows them all.")),
        "detected": CardText(
            tr("Detected"), detected if counts.assessed else tr("Not assessed"), lost or why, assessed,
            tr("Plots with forest loss detected, among those assessed."), {"alerts": ["critical"]}, bool(counts.assessed),
        ),
    }  # fmt: skip
    share = overview.figures["noncompliance_area_perc"]
    flagged = {"alerts": ["critical", "non-critical"]}
    about = tr("Area with forest loss detected, as a share of the assessed plots' area.")
    texts[share.spec.name] = _figure(tr("Share detected"), share, percent, about, flagged)
    luc, diversity, water = (overview.figures[name] for name in NAMES[3:])
    unit = tr("tCO2e/ha/year")
    about = tr("Land use change of biomass in {unit}; loss is negative.").format(unit=unit)
    texts[luc.spec.name] = _figure(tr("LUC emissions"), luc, number, about, {"known": luc.spec.name}, unit)
    about = tr("Structure and connectivity of the canopy, 0 to 1.")
    texts[diversity.spec.name] = _figure(tr("Diversity"), diversity, number, about, {"known": diversity.spec.name}, tr("of 1"))
    about = tr("Baseline water stress, 0 to 5.")
    texts[water.spec.name] = _figure(tr("Water stress"), water, number, about, {"known": water.spec.name}, tr("of 5"))
    return texts


def _figure(title: str, figure: Figure, shown: Any, about: str, wanted: dict[str, Any], unit: str = "") -> CardText:
    assessed = _assessed(figure.assessed, figure.total)
    if figure.value is None:
        tip = f"{about} {code_in_words(figure.why) if figure.why else ''}"
        return CardText(title, tr("Not assessed"), _why(figure.why), assessed, tip, wanted, False)
    def said(number_of: float) -> str:
        return f"{shown(number_of)} {unit}".strip()

    below = tr("region {value}").format(value=said(figure.reference.value)) if figure.reference else tr("no region yet")
    tip = f"{about} {_reference(figure.reference, said)}"
    return CardText(title, said(figure.value), below, assessed, tip, wanted, unit=unit if "/" in unit else "")


def _assessed(number_assessed: int, total: int) -> str:
    return tr("{n} assessed, {rest} not").format(n=whole(number_assessed), rest=whole(total - number_assessed))


def _reference(reference: Reference | None, said: Callable[[float], str]) -> str:
    if reference is None:
        return tr("No reference area is stored: process the collection with a layer of regions.")
    parts = [tr("Reference area: {value}").format(value=said(reference.value))]
    if reference.error is not None:
        parts.append(tr("standard error {value}").format(value=said(reference.error)))
    if reference.cells is not None:
        parts.append(tr("{n} cells").format(n=whole(reference.cells)))
    if reference.year is not None:
        parts.append(str(reference.year))
    return ", ".join(parts)


def _why(code: str) -> str:
    """Return in a few words why a figure is missing; the whole sentence is in the tip."""
    if code in ("", "not_processed"):
        return tr("not processed yet")
    base, _, role = code.partition(":")
    if base in ("missing_layer", "no_data"):
        layer = tr(WANTED.get(role, role.replace("_", " ")))
        return (tr("no {layer} bound") if base == "missing_layer" else tr("no data of {layer}")).format(layer=layer)
    return tr("too little data") if base == "not_assessed" else code_in_words(code)


class Card(QPushButton):
    """A card; a button, so that the keyboard reaches it."""

    def __init__(self, name: str, parent: QWidget):
        super().__init__(parent)
        self.setObjectName(f"EpochCard_{name}")
        self.setCheckable(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(0)
        self._labels = [QLabel(self) for _ in range(4)]
        bold = self.font()
        bold.setBold(True)
        bold.setPointSizeF(bold.pointSizeF() * 1.15)
        self._bold = bold
        self._labels[1].setFont(bold)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self._labels[3].setFont(small)
        for label in self._labels:
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addStretch()
        self.text_shown: CardText | None = None

    def show_text(self, text: CardText) -> None:
        """Show what a card says."""
        self.text_shown = text
        for label, words in zip(self._labels, (text.title, text.value, text.below, text.assessed)):
            label.setText(words)
        self._labels[1].setFont(self._bold if text.known else self.font())
        if text.known and text.unit:  # a long unit stands beside the figure only in small letters
            for label, words in zip(self._labels[1:3], (text.value, text.below)):
                label.setText(self._with_small_unit(words, text.unit))
        self.setToolTip(f"<p>{text.tip}</p>")
        self.setAccessibleName(f"{text.title}: {text.value}. {text.below}. {text.assessed}")
        self.setAccessibleDescription(text.tip)
        self.updateGeometry()

    def _with_small_unit(self, words: str, unit: str) -> str:
        small = f"font-size: {0.85 * self.font().pointSizeF():.1f}pt; font-weight: normal"
        return escape(words).replace(escape(unit), f'<span style="{small}">{escape(unit)}</span>')

    def sizeHint(self) -> QSize:
        """Return the size of the labels: a push button's own hint knows only its text."""
        return self.layout().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the least size: a few words wide."""
        return QSize(10 * self.fontMetrics().averageCharWidth(), self.layout().minimumSize().height())

    def hasHeightForWidth(self) -> bool:
        """Tell that wrapped words need more lines in a narrow dock."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the wrapped words."""
        return self.layout().heightForWidth(width)


class CardsPanel(QWidget):
    """All cards, in as many columns as there is room for; `chosen(filter)` when one is clicked."""

    chosen = pyqtSignal(dict)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self.cards = {name: Card(name, self) for name in NAMES}
        self._columns = 0
        for card in self.cards.values():
            card.clicked.connect(lambda _checked, card=card: self._on_clicked(card))
        self._arrange(3)

    def show_overview(self, overview: Overview) -> None:
        """Fill the cards."""
        for name, text in card_texts(overview).items():
            self.cards[name].show_text(text)

    def uncheck(self) -> None:
        """Mark no card: the table is filtered by something else."""
        for card in self.cards.values():
            card.setChecked(False)

    def resizeEvent(self, event: Any) -> None:
        """Use the width there is."""
        room = max(1, event.size().width() // (19 * self.fontMetrics().averageCharWidth()))
        self._arrange(6 if room >= 6 else 3 if room >= 3 else 2 if room >= 2 else 1)
        super().resizeEvent(event)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for position, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, position // columns, position % columns)
        for column in range(6):
            self._grid.setColumnStretch(column, int(column < columns))

    def _on_clicked(self, card: Card) -> None:
        for other in self.cards.values():
            other.setChecked(other is card and card.isChecked())
        if card.text_shown is not None:
            self.chosen.emit(dict(card.text_shown.filter) if card.isChecked() else {})
