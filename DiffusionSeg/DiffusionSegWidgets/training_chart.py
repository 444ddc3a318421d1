"""A small live chart: how well the training fits, and how well it agrees with held-out voxels."""

from __future__ import annotations

from itertools import pairwise

import qt
from slicer.i18n import tr as _

LOSS_COLOR = "#c44e52"
AGREEMENT_COLOR = "#2e7d32"
MARGIN = 6
HEADER = 16


class TrainingChart:
    """Draws two curves into a label; the loss on its own scale, the agreement from 0 to 1.

    Args:
        label: a QLabel, whose size the chart takes.
    """

    def __init__(self, label) -> None:
        self._label = label
        self._points: list[tuple[float, float, float | None]] = []
        self.clear()

    @property
    def points(self) -> list[tuple[float, float, float | None]]:
        """Step, loss and held-out agreement of what is drawn."""
        return list(self._points)

    def clear(self) -> None:
        """Start a new training."""
        self._points = []
        self._label.visible = False

    def add(self, step: float, loss: float, held_out: float | None) -> None:
        """Add the state after a step; `held_out` is the agreement 0 to 1, or None if it was not measured."""
        self._points.append((step, loss, held_out))
        self._label.visible = True
        self._draw()

    def _draw(self) -> None:
        # A pixmap, because overriding paintEvent from Python is slow and fragile in Slicer.
        pixmap = qt.QPixmap(max(self._label.width, 200), max(self._label.height, 80))
        pixmap.fill(self._label.palette.color(qt.QPalette.Base))
        painter = qt.QPainter()
        painter.begin(pixmap)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        loss = [(step, value) for step, value, _held_out in self._points]
        agreement = [(step, value) for step, _loss, value in self._points if value is not None]
        self._draw_curve(painter, pixmap, loss, 0.0, max(value for _step, value in loss), LOSS_COLOR)
        self._draw_curve(painter, pixmap, agreement, 0.0, 1.0, AGREEMENT_COLOR)
        self._draw_legend(painter, pixmap, loss, agreement)
        painter.end()
        self._label.setPixmap(pixmap)

    def _draw_curve(self, painter, pixmap, points, low: float, high: float, color: str) -> None:
        first, last = self._points[0][0], self._points[-1][0]
        width, height = pixmap.width() - 2 * MARGIN, pixmap.height() - 2 * MARGIN - HEADER
        corners = [
            (
                MARGIN + round(width * (step - first) / max(last - first, 1e-9)),
                MARGIN + HEADER + round(height * (1 - (value - low) / max(high - low, 1e-9))),
            )
            for step, value in points
        ]
        pen = qt.QPen(qt.QColor(color))
        pen.setWidth(2)
        painter.setPen(pen)
        for start, end in pairwise(corners):
            painter.drawLine(*start, *end)

    def _draw_legend(self, painter, pixmap, loss, agreement) -> None:
        painter.setPen(qt.QPen(qt.QColor(LOSS_COLOR)))
        painter.drawText(MARGIN, HEADER, _("Loss {value:.3f}").format(value=loss[-1][1]))
        if agreement:
            painter.setPen(qt.QPen(qt.QColor(AGREEMENT_COLOR)))
            text = _("Held-out agreement {value:.0%}").format(value=agreement[-1][1])
            painter.drawText(pixmap.width() // 2, HEADER, text)
