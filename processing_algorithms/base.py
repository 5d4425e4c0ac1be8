"""What every algorithm of the provider shares: the store, help, dates, and errors that say what to do."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QDate, QDateTime
from qgis.PyQt.QtGui import QIcon

from epoch_plugin.bridge.feedback import progress_of_algorithm
from epoch_plugin.bridge.help import help_text
from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.proj_context import keeping_proj_context
from epoch_plugin.bridge.settings import resource, store_path
from epoch_plugin.core.errors import EpochError, InputError, explained
from epoch_plugin.core.window import parse_date

if TYPE_CHECKING:
    from epoch_plugin.core.store.store import Store

ADVANCED = QgsProcessingParameterDefinition.Flag.FlagAdvanced


class EpochAlgorithm(QgsProcessingAlgorithm):
    """Base of the provider's algorithms.

    A subclass has NAME, GROUP, `displayName()`, `declare()` (adds parameters and outputs), `execute(parameters, context, progress)`
    (returns the outputs) and, where values can be wrong, `check(parameters, context)`; the last two raise `EpochError`.
    """

    STORE, COLLECTION = "STORE", "COLLECTION"
    NAME, GROUP = "", ""

    def createInstance(self) -> EpochAlgorithm:
        """Return a fresh algorithm of the same class."""
        return type(self)()

    def name(self) -> str:
        """Return the id's second part, as in the contract."""
        return self.NAME

    def group(self) -> str:
        """Return the Toolbox group."""
        return self.tr(self.GROUP)

    def groupId(self) -> str:
        """Return the group's id."""
        return self.GROUP.lower()

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(resource("icons", "epoch.svg"))

    def svgIconPath(self) -> str:
        """Return the icon's file, which the model designer draws."""
        return resource("icons", "epoch.svg")

    def shortHelpString(self) -> str:
        """Return what a person can learn the algorithm from."""
        return help_text(self.NAME)

    def tr(self, text: str) -> str:
        """Return `text` in QGIS's language."""
        return tr(text, type(self).__name__)

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare the algorithm's own parameters, then the store."""
        self.declare()
        label = self.tr("Store (GeoPackage); empty: EPOCH_STORE, the setting, or the profile's")
        store = QgsProcessingParameterFile(self.STORE, label, extension="gpkg", optional=True)
        store.setFlags(store.flags() | ADVANCED)
        self.addParameter(store)

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse what cannot work before anything is written; the text says what would be right."""
        try:
            self.check(parameters, context)
        except (EpochError, ModuleNotFoundError) as error:
            return False, explained(error)
        return super().checkParameterValues(parameters, context)

    @keeping_proj_context
    def processAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Run, and hand the core's errors to QGIS as text."""
        with progress_of_algorithm(feedback) as progress:
            self.check(parameters, context)  # a model's steps come here without checkParameterValues
            return self.execute(parameters, context, progress)

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise `InputError` for values that cannot be used."""

    def add_collection(self, label: str = "", optional: bool = False) -> None:
        """Declare COLLECTION: the id or the name of a collection."""
        self.addParameter(QgsProcessingParameterString(self.COLLECTION, label or self.tr("Collection (id or name)"), optional=optional))

    def add_date(self, name: str, label: str, default: str | None = None) -> None:
        """Declare an optional date, written YYYY-MM-DD."""
        self.addParameter(QgsProcessingParameterDateTime(name, label, QgsProcessingParameterDateTime.Type.Date, default, optional=True))

    def store(self, parameters: dict[str, Any], context: QgsProcessingContext, create: bool = False) -> Store:
        """Open the store that the parameters, the environment or the settings name; only staging creates it."""
        from epoch_plugin.core.store.store import Store

        path = store_path(self.parameterAsString(parameters, self.STORE, context))
        if not create and not os.path.exists(path):
            raise InputError(f"There is no store at {path} yet. Stage plots first (epoch:stageplots), or name another store with STORE.")
        return Store(path)

    def check_collection(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise `EpochError` unless COLLECTION names a collection of the store."""
        from epoch_plugin.core.store import collections

        with self.store(parameters, context).reading() as conn:
            collections.find(conn, self.required(parameters, self.COLLECTION, context))

    def text(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Return a text parameter without surrounding blanks; unset gives an empty text."""
        return self.parameterAsString(parameters, name, context).strip()

    def required(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Return a text parameter that must not be empty."""
        text = self.text(parameters, name, context)
        if not text:
            raise InputError(f"{name} is missing: give a value for it.")
        return text

    def date(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> dt.date | None:
        """Return a date, or None where it is unset; raise `InputError` on anything but YYYY-MM-DD."""
        value = parameters.get(name, self.parameterDefinition(name).defaultValue())
        if isinstance(value, (QDate, QDateTime)):
            value = value.toString("yyyy-MM-dd")
        elif isinstance(value, dt.date):
            value = value.strftime("%Y-%m-%d")
        elif not isinstance(value, str):
            value = self.parameterAsString(parameters, name, context)
        return parse_date(value, name) if value.strip() else None
