"""The editor below the table: role, profile, meaning of values and files of the selected entries, and one entry's whole JSON."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from qgis.PyQt.QtCore import QSignalBlocker, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.core.datasets.edit import key_per_line
from epoch_plugin.core.datasets.profiles import load_profile, profile_ids
from epoch_plugin.core.datasets.roles import ROLES
from epoch_plugin.core.nesting import json_value

SEVERAL = "…"


def encodings() -> tuple[tuple[str, dict[str, Any] | None], ...]:
    """Return the usual encodings in words; the rest is written as JSON."""
    return (
        (tr("as the profile says"), None),
        (tr("1 is yes, 0 is no"), {"kind": "mask", "values": [1], "none": [0]}),
        (tr("every value above 0 is yes"), {"kind": "mask", "min": 1, "none": [0]}),
        (tr("share of 0 to 1, yes from 0.5"), {"kind": "mask", "min": 0.5}),
        (tr("year of loss, counted from 2000; 0 is none"), {"kind": "loss_year", "offset": 2000, "none": [0]}),
        (tr("year of loss as stored; 0 is none"), {"kind": "loss_year", "offset": 0, "none": [0]}),
        (tr("date of alert as YYDDD; 0 is none"), {"kind": "alert_date", "packing": "yyddd", "none": [0]}),
        (tr("measured values, scaled as the file says"), {"kind": "continuous"}),
    )


class EntryEditor(QWidget):
    """Emits `edited(changes)` for all selected entries (None removes a key), `rewritten(entry)` for one entry's JSON."""

    edited = pyqtSignal(dict)
    rewritten = pyqtSignal(dict)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._entries: list[dict[str, Any]] = []
        self.role, self.profile, self.encoding = QComboBox(self), QComboBox(self), QComboBox(self)
        self.role.setEditable(True)
        for name, role in ROLES.items():
            self.role.addItem(name)
            self.role.setItemData(self.role.count() - 1, role.purpose, Qt.ItemDataRole.ToolTipRole)
        self.role.activated.connect(lambda _: self._role_chosen())
        self.role.lineEdit().editingFinished.connect(self._role_chosen)
        self.profile.activated.connect(self._profile_chosen)
        for text, value in encodings():
            self.encoding.addItem(text, value)
        self.encoding.activated.connect(self._encoding_chosen)
        self.source, self.year = QLineEdit(self), QLineEdit(self)
        self.source.setPlaceholderText(tr("file, pattern such as tiles_*.tif, or agb_{year}.tif; relative to the datasets file"))
        self.source.editingFinished.connect(self._source_typed)
        self.year.setPlaceholderText(tr("2020, or 2001-2025 for a record of losses or alerts"))
        self.year.editingFinished.connect(self._year_typed)
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setOpenExternalLinks(True)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.json = QPlainTextEdit(self)
        self.json.setTabChangesFocus(True)
        self.json.setMinimumHeight(4 * self.fontMetrics().height())
        self.apply = QPushButton(tr("Apply &JSON"), self)
        self.apply.clicked.connect(self._json_written)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, widget in (
            (tr("&Role"), self.role), (tr("&Profile"), self.profile), (tr("&Values mean"), self.encoding),
            (tr("F&iles"), self.source), (tr("&Year or years"), self.year), (tr("All &keys (JSON)"), self.json), ("", self.apply), ("", self.problem),
        ):  # fmt: skip
            form.addRow(label, widget)
            if label:
                caption = form.labelForField(widget)
                caption.setMinimumWidth(caption.sizeHint().width() + 2)  # at 200 % a letter is wider than half a rounded pixel says
                widget.setAccessibleName(label.replace("&", ""))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.about)
        layout.addLayout(form)
        self.show_entries([])

    def show_entries(self, entries: list[dict[str, Any]]) -> None:
        """Show the selected entries; where they differ, a field shows "…" and changes nothing until it is used."""
        self._entries = entries
        widgets = (self.role, self.profile, self.encoding, self.source, self.year, self.json)
        blockers = [QSignalBlocker(widget) for widget in widgets]
        self.setEnabled(bool(entries))
        self.role.setCurrentText(self._shared("role"))
        self._offer_profiles()
        encoding = next(iter(entries), {}).get("encoding") if len({json.dumps(e.get("encoding")) for e in entries}) == 1 else SEVERAL
        place = next((i for i, (_, value) in enumerate(encodings()) if value == encoding), -1)
        self.encoding.setCurrentIndex(place)
        self.source.setText(_source_text(entries[0]) if len(entries) == 1 else "")
        self.source.setEnabled(len(entries) == 1 and isinstance(entries[0].get("source", ""), str) and "sources" not in entries[0])
        self.year.setText(_years_text(entries[0]) if len(entries) == 1 else "")
        self.json.setPlainText(key_per_line(entries[0]) if len(entries) == 1 else "")
        self.json.setEnabled(len(entries) == 1)
        self.apply.setEnabled(len(entries) == 1)
        self.problem.hide()
        self._describe()
        del blockers

    def _shared(self, key: str) -> str:
        values = {str(entry.get(key, "")) for entry in self._entries}
        return values.pop() if len(values) == 1 else SEVERAL if values else ""

    def _offer_profiles(self) -> None:
        """Profiles for the role come first; the others are there, too."""
        role, current = self.role.currentText(), self._shared("profile")
        fitting = [name for name in profile_ids() if role in load_profile(name).roles]
        self.profile.clear()
        self.profile.addItem(tr("none: described here"), "")
        for name in [*fitting, *(name for name in profile_ids() if name not in fitting)]:
            self.profile.addItem(name, name)
            self.profile.setItemData(self.profile.count() - 1, load_profile(name).title, Qt.ItemDataRole.ToolTipRole)
            if fitting and name == fitting[-1]:
                self.profile.insertSeparator(self.profile.count())
        self.profile.setCurrentIndex(self.profile.findData(current) if current != SEVERAL else -1)

    def _describe(self) -> None:
        """Say what the role is for and, with a profile, whose data it is and on what terms."""
        lines = []
        role = ROLES.get(self.role.currentText())
        if role is not None:
            lines.append(tr("<b>{role}</b>: {purpose}.").format(role=role.name, purpose=html.escape(role.purpose)))
        name = self.profile.currentData()
        if name:
            profile = load_profile(name)
            lines.append(f"{html.escape(profile.title)}. {tr('Licence')}: {html.escape(profile.licence)}.<br/>{html.escape(profile.citation)}")
        self.about.setText("<br/>".join(lines))

    def _role_chosen(self) -> None:
        role = self.role.currentText().strip()
        if self._entries and role not in (SEVERAL, self._shared("role")):
            self.edited.emit({"role": role})

    def _profile_chosen(self, *_: Any) -> None:
        self.edited.emit({"profile": self.profile.currentData() or None})

    def _encoding_chosen(self, *_: Any) -> None:
        self.edited.emit({"encoding": self.encoding.currentData()})

    def _source_typed(self) -> None:
        if len(self._entries) == 1 and self.source.isEnabled() and self.source.text().strip() != _source_text(self._entries[0]):
            self.edited.emit({"source": self.source.text().strip()})

    def _year_typed(self) -> None:
        text = self.year.text().strip()
        if not self._entries or (len(self._entries) == 1 and text == _years_text(self._entries[0])) or (len(self._entries) > 1 and not text):
            return
        years = re.fullmatch(r"(\d{4})(?:\s*[-–]\s*(\d{4}))?", text)
        if years and years.group(2):
            self.edited.emit({"years": [int(years.group(1)), int(years.group(2))], "year": None})
        elif years or not text:
            self.edited.emit({"year": int(text) if text else None, "years": None})
        else:
            self._refuse(tr("'{text}' is neither a year nor two years such as 2001-2025.").format(text=text))

    def _json_written(self) -> None:
        try:
            entry = json_value(self.json.toPlainText())
        except ValueError as error:
            self._refuse(str(error))
            return
        if isinstance(entry, dict):
            self.rewritten.emit(entry)
        else:
            self._refuse(tr("An entry is a JSON object: {…}."))

    def _refuse(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()


def _source_text(entry: dict[str, Any]) -> str:
    source = entry.get("source", "")
    return source if isinstance(source, str) else json.dumps(source, ensure_ascii=False)


def _years_text(entry: dict[str, Any]) -> str:
    years = entry.get("years")
    return "-".join(str(year) for year in years) if isinstance(years, list) else str(entry.get("year", ""))
