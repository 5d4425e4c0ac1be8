"""Two lines per collection or job, with a progress bar while it runs; sizes follow the font, colours the theme."""

from __future__ import annotations

from qgis.PyQt.QtCore import QModelIndex, QRect, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from qgis.PyQt.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionProgressBar, QStyleOptionViewItem

from epoch_plugin.ui.collections.texts import SEPARATOR
from epoch_plugin.ui.collections.tree_model import ROW, TreeRow
from epoch_plugin.ui.common.looks import readable_on, tone_colour


class CollectionsDelegate(QStyledItemDelegate):
    """Paints a `TreeRow`."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return two lines of text and the room around them."""
        line = QFontMetrics(option.font).height()
        return QSize(24 * line // 2, 2 * line + line)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint the item's background as the style does, then our two lines."""
        row: TreeRow | None = index.data(ROW)
        own = QStyleOptionViewItem(option)
        self.initStyleOption(own, index)
        own.text = ""
        style = own.widget.style() if own.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, own, painter, own.widget)
        if row is None:
            return
        painter.save()
        selected = bool(own.state & QStyle.StateFlag.State_Selected)
        palette = own.palette
        ink = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        paper = palette.color(QPalette.ColorRole.Highlight if selected else QPalette.ColorRole.Base)
        line = own.fontMetrics.height()
        area = own.rect.adjusted(line // 4, line // 3, -line // 2, -line // 3)
        first, second = QRect(area.left(), area.top(), area.width(), line), QRect(area.left(), area.bottom() - line + 1, area.width(), line)
        self._first_line(painter, own, first, row, ink, paper)
        if row.percent is not None:
            second = self._bar(painter, own, style, second, row.percent)
        painter.setFont(own.font)
        faint = QColor(ink)
        faint.setAlphaF(0.8)
        painter.setPen(readable_on(tone_colour("failed"), paper) if row.job is not None and row.job.error and not selected else faint)
        painter.drawText(second, _LEFT, _fitting(row.facts, own.fontMetrics, second.width()))
        painter.restore()

    def _first_line(self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, row: TreeRow, ink: QColor, paper: QColor) -> None:
        """Title at the left, a dot and the status at the right."""
        metrics = option.fontMetrics
        word = metrics.horizontalAdvance(row.status) + metrics.height()
        dot = metrics.height() // 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(ink)  # an outline: blue on a blue selection would be lost
        painter.setBrush(tone_colour(row.tone))
        painter.drawEllipse(room.right() - word + dot // 2, room.center().y() - dot // 2 + 1, dot, dot)
        painter.setPen(ink)
        painter.setFont(option.font)
        painter.drawText(QRect(room.right() - word, room.top(), word, room.height()), _RIGHT, row.status)
        font = QFont(option.font)
        font.setBold(row.collection is not None)
        painter.setFont(font)
        room = room.adjusted(0, 0, -word - dot // 2, 0)
        painter.drawText(room, _LEFT, QFontMetrics(font).elidedText(row.title, Qt.TextElideMode.ElideRight, room.width()))

    def _bar(self, painter: QPainter, option: QStyleOptionViewItem, style: QStyle, room: QRect, percent: float) -> QRect:
        """Draw the style's own progress bar and return the room beside it."""
        bar = QStyleOptionProgressBar()
        third = max(room.width() // 4, 3 * room.height())
        bar.rect = QRect(room.left(), room.top() + room.height() // 6, third, room.height() * 2 // 3)
        bar.minimum, bar.maximum, bar.progress = 0, 100, round(percent)
        bar.textVisible = False
        bar.palette = option.palette
        bar.state = QStyle.StateFlag.State_Enabled | QStyle.StateFlag.State_Horizontal
        style.drawControl(QStyle.ControlElement.CE_ProgressBar, bar, painter)
        return room.adjusted(third + room.height() // 2, 0, 0, 0)


def _fitting(text: str, metrics: QFontMetrics, width: int) -> str:
    """Return as many facts as fit whole; the tool tip has them all."""
    facts = text.split(SEPARATOR)
    while len(facts) > 1 and metrics.horizontalAdvance(SEPARATOR.join(facts)) > width:
        facts.pop()
    return metrics.elidedText(SEPARATOR.join(facts), Qt.TextElideMode.ElideRight, width)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
