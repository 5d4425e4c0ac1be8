"""The entries of a datasets file as a table: role, layer, profile, years, coverage, state."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, Qt

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.core.datasets.edit import DatasetsText
from epoch_plugin.ui.common.looks import tone_colour

STATE, ROLE, SOURCE, PROFILE, YEARS, COVERAGE = range(6)


class DatasetsModel(QAbstractTableModel):
    """Shows a `DatasetsText` and, once tested, an answer per entry; an edited entry's answer is gone."""

    def __init__(self, parent: Any = None):
        super().__init__(parent)
        self.text = DatasetsText()
        self.entries: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any] | None] = []
        self.saved_text = self.text.text()

    def load(self, text: DatasetsText) -> None:
        """Show another file."""
        self.beginResetModel()
        self.text, self.entries, self.saved_text = text, text.entries, text.text()
        self.answers = [None] * len(self.entries)
        self.endResetModel()

    @property
    def changed(self) -> bool:
        """Tell whether something is not saved."""
        return self.text.text() != self.saved_text

    def saved(self) -> None:
        """What is shown is in the file now."""
        self.saved_text = self.text.text()

    def add(self, entries: list[dict[str, Any]]) -> list[int]:
        """Append entries that are not there yet and return their rows."""
        new = [entry for entry in entries if not any(_same(entry, known) for known in self.entries)]
        first = len(self.entries)
        if new:
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            for entry in new:
                self.text.add(entry)
                self.answers.append(None)
            self.entries = self.text.entries
            self.endInsertRows()
        return list(range(first, first + len(new)))

    def remove(self, rows: list[int]) -> None:
        """Take entries out."""
        for row in sorted(rows, reverse=True):
            self.beginRemoveRows(QModelIndex(), row, row)
            self.text.remove(row)
            del self.answers[row]
            self.entries = self.text.entries
            self.endRemoveRows()

    def replace(self, row: int, entry: dict[str, Any]) -> None:
        """Put another entry in a row."""
        if entry != self.entries[row]:
            self.text.replace(row, entry)
            self.entries = self.text.entries
            self.answers[row] = None
            self.dataChanged.emit(self.index(row, 0), self.index(row, COVERAGE))

    def set_answers(self, answers: list[dict[str, Any]]) -> None:
        """Show what a test found."""
        if len(answers) == len(self.entries):
            self.answers = list(answers)
            if answers:
                self.dataChanged.emit(self.index(0, 0), self.index(len(answers) - 1, COVERAGE))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of entries."""
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return COVERAGE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return (tr("State"), tr("Role"), tr("Files"), tr("Profile"), tr("Years"), tr("Coverage"))[section]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text, colour or explanation."""
        if not index.isValid():
            return None
        entry, answer = self.entries[index.row()], self.answers[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(index.column(), entry, answer)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == STATE:
            return tone_colour("red" if answer and answer["status"] == "invalid" else answer["status"] if answer else "")
        if role == Qt.ItemDataRole.ToolTipRole:
            return explanation(entry, answer) if index.column() == STATE else _cell(index.column(), entry, answer)
        return None


def explanation(entry: dict[str, Any], answer: dict[str, Any] | None) -> str:
    """Return what a test found on an entry, one thing a line."""
    if answer is None:
        return tr("Not tested since the last change.") if entry.get("role") else tr("Choose the role of this layer.")
    lines = [*answer["problems"], *answer["warnings"]]
    if answer["status"] == "found":
        facts = [answer.get("encoding"), answer.get("crs"), f"{answer['resolution_m']} m" if answer.get("resolution_m") else "", answer.get("nodata")]
        lines.insert(0, "; ".join(str(fact) for fact in facts if fact))
    return "\n".join(lines)


def _cell(column: int, entry: dict[str, Any], answer: dict[str, Any] | None) -> str:
    if column == STATE:
        words = {"found": tr("found"), "missing": tr("missing"), "unreadable": tr("unreadable"), "invalid": tr("not valid")}
        return words[answer["status"]] if answer else tr("not tested") if entry.get("role") else tr("no role yet")
    if column == ROLE:
        return str(entry.get("role", ""))
    if column == SOURCE:
        return source_words(entry)
    if column == PROFILE:
        return str(entry.get("profile", ""))
    if column == YEARS:
        return _years(entry, answer)
    share = answer.get("coverage") if answer else None
    return "" if share is None else tr("{share} %").format(share=f"{100 * share:.3g}")


def source_words(entry: dict[str, Any]) -> str:
    """Return the files of an entry in one line."""
    if "sources" in entry and isinstance(entry["sources"], dict):
        first = next(iter(entry["sources"].values()), "")
        return tr("{n} years: {first}, …").format(n=len(entry["sources"]), first=first if isinstance(first, str) else first[0])
    source = entry.get("source", "")
    return source if isinstance(source, str) else tr("{n} files: {first}, …").format(n=len(source), first=source[0] if source else "")


def _years(entry: dict[str, Any], answer: dict[str, Any] | None) -> str:
    bound = list(answer.get("bound_years") or []) if answer else []
    years = (answer.get("years") or []) if answer else entry.get("years") or []
    if len(bound) > 1:
        return f"{bound[0]}-{bound[-1]} ({len(bound)})" if bound[-1] - bound[0] + 1 != len(bound) else f"{bound[0]}-{bound[-1]}"
    if years:
        return "-".join(str(year) for year in dict.fromkeys(years))
    return str(bound[0]) if bound else str(entry.get("year", ""))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two entries bind the same files (a folder that is added twice brings nothing new)."""
    return (one.get("source"), one.get("sources")) == (other.get("source"), other.get("sources"))
