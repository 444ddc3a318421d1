"""A table of slices, in which a click jumps to the slice."""

from __future__ import annotations

import qt


class SliceTable:
    """Rows of slices with one more column, such as their state.

    Args:
        table: a QTableWidget.
        on_jump: called with (axis, index) of a row that was clicked or reached by the arrow keys.
    """

    def __init__(self, table, on_jump) -> None:
        self._table, self._on_jump = table, on_jump
        self._slices: list[tuple[int, int]] = []
        self._silent = False
        table.horizontalHeader().setStretchLastSection(True)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(22)
        table.setColumnWidth(0, 170)
        table.currentCellChanged.connect(self._jump)
        table.cellClicked.connect(self._jump)

    @property
    def slices(self) -> list[tuple[int, int]]:
        """(axis, index) of each row."""
        return list(self._slices)

    @property
    def current(self) -> tuple[int, int] | None:
        """(axis, index) of the chosen row."""
        row = self._table.currentRow()
        return self._slices[row] if 0 <= row < len(self._slices) else None

    def fill(self, rows: list[tuple[int, int, str, str]]) -> None:
        """Show rows of (axis, index, name, more); the chosen slice stays chosen."""
        chosen = self.current
        self._silent = True
        self._slices = [(axis, index) for axis, index, _name, _more in rows]
        self._table.setRowCount(len(rows))
        for row, (_axis, _index, name, more) in enumerate(rows):
            for column, text in enumerate((name, more)):
                item = qt.QTableWidgetItem(text)
                item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                self._table.setItem(row, column, item)
        self.choose_in_view(chosen)

    def choose_in_view(self, place: tuple[int, int] | None) -> None:
        """Choose the row of a slice and move no view, or no row where the list has no such slice."""
        self._silent = True
        self._table.setCurrentCell(self._slices.index(place) if place in self._slices else -1, 0)
        self._silent = False

    def choose(self, place: tuple[int, int]) -> None:
        """Choose the row of a slice of the list and jump to it."""
        if self.current == place:
            self._on_jump(*place)
        elif place in self._slices:
            self._table.setCurrentCell(self._slices.index(place), 0)

    def _jump(self, row: int, _column: int, _row_before: int = -1, _column_before: int = -1) -> None:
        if not self._silent and 0 <= row < len(self._slices):
            self._on_jump(*self._slices[row])
