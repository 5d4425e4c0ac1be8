"""Before and after, side by side, as they are rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QImage, QPixmap
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QWidget

from epoch_plugin.bridge.i18n import tr
from epoch_plugin.bridge.plot_pictures import PictureJob, Rasters, of_project, of_result
from epoch_plugin.bridge.tasks import BackgroundTask, in_background

if TYPE_CHECKING:
    from epoch_plugin.core.monitoring.plot_details import PlotDetails


class PicturePair(QWidget):
    """Two pictures with captions."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.pictures = [QLabel(self), QLabel(self)]
        self.captions = [QLabel(self), QLabel(self)]
        self.words = QLabel(self)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column in range(2):
            self.pictures[column].setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self.pictures[column], 0, column)
            grid.addWidget(self.captions[column], 1, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.words, 2, 0, 1, 2)
        for label in (*self.captions, self.words):
            label.setWordWrap(True)
        self._details: PlotDetails | None = None
        self._task: BackgroundTask | None = None
        self._jobs: list[PictureJob] = []

    def stop(self) -> None:
        """Forget what is on its way."""
        if self._task is not None:
            self._task.forget()
            self._task = None
        for job in self._jobs:
            job.stop()
        self._jobs = []

    def show_plot(self, details: PlotDetails) -> None:
        """Render a plot's pictures."""
        self.stop()
        self._details = details
        for label in (*self.pictures, *self.captions):
            label.clear()
            label.hide()
        self.words.setText(tr("Rendering…"))
        self.words.show()
        rasters = of_project(QgsProject.instance(), details)
        if rasters:
            self._render(rasters)
        else:
            self._task = in_background(tr("Opening pictures"), of_result(details), self._opened, quiet=True)

    def _opened(self, rasters: list[Rasters] | None, error: str | None) -> None:
        self._task = None
        if rasters:
            self._render(rasters)
        else:
            empty = tr("No layers of two years at hand. Add rasters with a year in their name, such as satellite images, to see them here.")
            self.words.setText(error or empty)

    def _render(self, rasters: list[Rasters]) -> None:
        side = 11 * self.fontMetrics().height()
        for position, one in enumerate(rasters):
            job = PictureJob(one, self._details, QSize(side, side), self.devicePixelRatioF(), self)
            job.done.connect(lambda image, position=position, one=one: self._show(position, one, image))
            self._jobs.append(job)
            job.start()

    def _show(self, position: int, rasters: Rasters, image: QImage) -> None:
        self.words.hide()
        self.pictures[position].setPixmap(QPixmap.fromImage(image))
        text = f"{rasters.year} · {rasters.title}"
        self.captions[position].setText(text)
        self.pictures[position].setAccessibleName(text)
        self.pictures[position].show()
        self.captions[position].show()
