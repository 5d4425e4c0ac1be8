"""The executor in the dialogs of the batch algorithms, which name this class as their parameter's widget."""

from __future__ import annotations

from typing import Any

from processing.gui.wrappers import WidgetWrapper

from epoch_plugin.ui.common.executor_edit import ExecutorEdit


class ExecutorWidgetWrapper(WidgetWrapper):
    """The choice as Processing asks for it."""

    def createWidget(self) -> ExecutorEdit:
        """Make the widget."""
        edit = ExecutorEdit()
        edit.changed.connect(lambda: self.widgetValueHasChanged.emit(self))
        return edit

    def setValue(self, value: Any) -> None:
        """Show a value, for example of an earlier run."""
        self.widget.set_value(str(value or ""))

    def value(self) -> str:
        """Return the parameter's value; a wrong one is refused by the algorithm, in words."""
        return self.widget.value()
