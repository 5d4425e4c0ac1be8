"""epoch:collectionreport: a collection's deforestation check on one page, with its other statistics and reference areas below."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext, QgsProcessingOutputString, QgsProcessingParameterFileDestination
from qgis.PyQt.QtGui import QImage

from epoch_plugin.bridge.alerts import ALERTS
from epoch_plugin.bridge.feedback import FeedbackProgress
from epoch_plugin.core.errors import InputError
from epoch_plugin.processing_algorithms.base import EpochAlgorithm
from epoch_plugin.processing_algorithms.summary_window import add_window, read_window

if TYPE_CHECKING:
    from epoch_plugin.core.report.summary import Summary


class CollectionReport(EpochAlgorithm):
    """Collection report."""

    NAME, GROUP = "collectionreport", "Reports"
    OUTPUT = "OUTPUT"

    def displayName(self) -> str:
        """Return the name in the Toolbox."""
        return self.tr("Collection report")

    def flags(self) -> QgsProcessingAlgorithm.Flags:
        """Run in the main thread: map layers are made and drawn."""
        return super().flags() | QgsProcessingAlgorithm.Flag.FlagNoThreading

    def declare(self) -> None:
        """Add the parameters and outputs."""
        self.add_collection()
        add_window(self)
        kinds = "HTML (*.html);;PDF (*.pdf)"
        self.addParameter(QgsProcessingParameterFileDestination(self.OUTPUT, self.tr("Report (.html or .pdf)"), kinds))
        self.addOutput(QgsProcessingOutputString("SUMMARY", self.tr("The findings in lines")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Demand a collection that exists and a file whose name says the format."""
        self.check_collection(parameters, context)
        read_window(self, parameters, context)
        path = self.parameterAsFileOutput(parameters, self.OUTPUT, context)
        if not path.lower().endswith((".html", ".htm", ".pdf")):
            raise InputError(f"OUTPUT is '{path}': the report is written as .html or .pdf.")

    def execute(self, parameters: dict[str, Any], context: QgsProcessingContext, progress: FeedbackProgress) -> dict[str, Any]:
        """Add up, draw the map, write the page."""
        from epoch_plugin.core.report.comparison import comparison_lines
        from epoch_plugin.core.report.lines import lines
        from epoch_plugin.core.report.summary import summarise

        start, end = read_window(self, parameters, context)
        summary = summarise(self.store(parameters, context), self.required(parameters, self.COLLECTION, context), start, end)
        for warning in summary.warnings:
            progress.warn(warning)
        path = self.parameterAsFileOutput(parameters, self.OUTPUT, context)
        _write(path, summary)
        found = lines(summary, {alert: look.label for alert, look in ALERTS.items()}) + comparison_lines(summary.comparison)
        for line in found:
            progress.info(line)
        return {self.OUTPUT: path, "SUMMARY": "\n".join(found)}


def _write(path: str, summary: Summary) -> None:
    from epoch_plugin.bridge.map_picture import png
    from epoch_plugin.bridge.pdf import PICTURE, write_pdf
    from epoch_plugin.core.report.html import page

    looks = {alert: (look.label, look.colour) for alert, look in ALERTS.items()}
    picture = _picture(summary)
    if path.lower().endswith(".pdf"):
        write_pdf(path, page(summary, looks, PICTURE), picture)
        return
    address = "data:image/png;base64," + base64.b64encode(png(picture)).decode("ascii")
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(page(summary, looks, address))
    except OSError as error:
        raise InputError(f"OUTPUT: {path} cannot be written ({error.strerror}).") from error


def _picture(summary: Summary) -> QImage:
    from epoch_plugin.bridge.map_picture import map_picture
    from epoch_plugin.bridge.result_layers import background_layers, plots_layer

    plots = plots_layer(summary.plots)
    below = [layer for _, layer in background_layers(summary.sources)]
    return map_picture([plots, *below], plots.extent())
