"""Paths that are longer than their fields, to be read whole in the fields' tool tips."""

from __future__ import annotations


def tell_whole_path(field) -> None:
    """Let the tool tip of a ctkPathLineEdit begin with the path that stands in it, whatever that becomes."""
    meaning = field.toolTip

    def tell(path: str) -> None:
        field.toolTip = f"{path}\n\n{meaning}" if path else meaning

    field.currentPathChanged.connect(tell)
    tell(field.currentPath)
