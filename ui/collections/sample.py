"""*Try it with the sample*: stage, upload and process the bundled plots, and say so, one step after the other in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.settings import resource

if TYPE_CHECKING:
    from epoch_plugin.bridge.runs import Run
    from epoch_plugin.ui.collections.controller import CollectionsController

NAME = "sample_vavoua"
START, END = "2020-12-31", "2025-12-31"
STATISTICS = ("eudr_deforestation", "luc_emissions", "biodiversity", "water")


class SampleTour:
    """Keeps itself alive until its last step; a step that fails has been shown by the controller, and ends it."""

    def __init__(self, controller: CollectionsController):
        self._controller = controller
        self.running = False

    def start(self) -> None:
        """Begin, unless it is on its way."""
        if self.running:
            return
        self.running = True
        parameters = {
            "INPUT_FILE": resource("sample", "plots.geojson"), "COLLECTION_NAME": NAME, "CROP_TYPE": "cocoa", "COUNTRY": "Côte d'Ivoire",
            "DESCRIPTION": tr("Synthetic landscape of 300 plots whose results are known beforehand"),
        }  # fmt: skip
        self._then(self._controller.stage(parameters), self._upload)

    def _upload(self, run: Run) -> None:
        self._then(self._controller.upload(run.results["COLLECTION_ID"], NAME), self._process)

    def _process(self, run: Run) -> None:
        request = {"START_DATE": START, "END_DATE": END, "DATASETS": resource("sample", "datasets_all.json")}
        runs = self._controller.process(run.results["COLLECTION_ID"], NAME, list(STATISTICS), request, {})
        self._then(runs[0], self._open)

    def _open(self, run: Run) -> None:
        self.running = False
        self._controller.sample_ready.emit(run.about["collection_id"])

    def _then(self, run: Run, next_step: Any) -> None:
        def ended(ok: bool) -> None:
            if ok:
                next_step(run)
            else:
                self.running = False

        if run.running:
            run.done.connect(ended)
        else:
            self.running = False
