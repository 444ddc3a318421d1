"""Controls that Slicer's parameter node wrapper cannot connect by itself."""

from __future__ import annotations

import qt
from slicer.parameterNodeWrapper import GuiConnector


class _WidgetConnector(GuiConnector):
    """What all three have in common: one widget and one signal.

    Args:
        widget: the control.
        signal: the name of the signal that it sends when the user changed it.
    """

    def __init__(self, widget, signal: str) -> None:
        super().__init__()
        self._widget = widget
        self._signal = signal

    @staticmethod
    def canRepresent(widget, datatype) -> bool:  # noqa: ARG004, N802
        """Never: these are handed over ready made, not looked up."""
        return False

    @staticmethod
    def create(widget, datatype):  # noqa: ARG004
        """Nothing: these are handed over ready made, not looked up."""
        return

    def widget(self):
        """The control."""
        return self._widget

    def _connect(self) -> None:
        getattr(self._widget, self._signal).connect(self.changed)

    def _disconnect(self) -> None:
        getattr(self._widget, self._signal).disconnect(self.changed)


class PathTextConnector(_WidgetConnector):
    """A ctkPathLineEdit as text; unlike a pathlib.Path, no path is the empty text and not a dot."""

    def __init__(self, widget) -> None:
        super().__init__(widget, "currentPathChanged")

    def read(self) -> str:
        """The path as it stands in the field."""
        return self._widget.currentPath

    def write(self, value: str) -> None:
        """Show a path."""
        self._widget.currentPath = value


class ChoiceConnector(_WidgetConnector):
    """A QComboBox whose choices come and go, such as the worker's models, as the data of its choice."""

    def __init__(self, widget) -> None:
        super().__init__(widget, "currentIndexChanged")

    def read(self) -> str:
        """The data of the chosen item."""
        return self._widget.itemData(self._widget.currentIndex)

    def write(self, value: str) -> None:
        """Choose an item; one that is not on offer (yet) is added, so that a loaded scene keeps its choice."""
        if self._widget.findData(value) < 0:
            self._widget.addItem(value, value)
        self._widget.currentIndex = self._widget.findData(value)


class CheckedNodesConnector(_WidgetConnector):
    """A qMRMLCheckableNodeComboBox as the list of its checked nodes."""

    def __init__(self, widget) -> None:
        super().__init__(widget, "checkedNodesChanged")

    def read(self) -> list:
        """The checked nodes."""
        return list(self._widget.checkedNodes())

    def write(self, value: list) -> None:
        """Check these nodes and no other; nodes that were deleted meanwhile are left out."""
        wanted = [node for node in value if node is not None]
        for node in [*self._widget.checkedNodes(), *self._widget.uncheckedNodes()]:
            state = qt.Qt.Checked if node in wanted else qt.Qt.Unchecked
            if self._widget.checkState(node) != state:
                self._widget.setCheckState(node, state)
