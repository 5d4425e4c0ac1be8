"""A plain HTML page as PDF, by Qt's own text documents: no browser is needed."""

from __future__ import annotations

from qgis.core import QgsProcessingException
from qgis.PyQt.QtCore import QMarginsF, QSizeF, QUrl
from qgis.PyQt.QtGui import QImage, QPageLayout, QPageSize, QPdfWriter, QTextDocument

PICTURE = "map.png"
_DPI = 150
_IMAGE_RESOURCE = 2  # QTextDocument.ResourceType.ImageResource: PyQt6 wants the number, PyQt5 takes both


def write_pdf(path: str, html: str, picture: QImage) -> None:
    """Write a page whose map is the image `PICTURE`; raises where the file cannot be written."""
    writer = QPdfWriter(path)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(12, 12, 12, 12), QPageLayout.Unit.Millimeter)
    writer.setResolution(_DPI)
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.documentLayout().setPaintDevice(writer)
    document.addResource(_IMAGE_RESOURCE, QUrl(PICTURE), picture)
    document.setHtml(html)
    document.setPageSize(QSizeF(writer.width(), writer.height()))  # stated: else Qt adds margins and page numbers of its own
    document.print(writer)
    if not _written(path):
        raise QgsProcessingException(f"{path} cannot be written: check that its folder exists and that the file is not open elsewhere.")


def _written(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(5) == b"%PDF-"
    except OSError:
        return False
