"""Slicer scrolls a module's panel as a whole: what is to be read may lie beyond the edge of the screen."""

from __future__ import annotations


def bring_into_sight(widget) -> None:
    """Scroll what is around a laid-out widget until all of it is to be seen; does nothing where nothing scrolls."""
    around = widget.parentWidget()
    while around is not None and not hasattr(around, "ensureWidgetVisible"):
        around = around.parentWidget()
    if around is not None:
        around.ensureWidgetVisible(widget, 0)
