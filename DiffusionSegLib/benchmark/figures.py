"""Figures of matplotlib, which need no display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.extras import of_extra


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches.

    Raises:
        DiffusionSegError: if matplotlib is not installed.
    """
    with of_extra("benchmark", "Plots need the package matplotlib"):
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure, in the format that the path's ending says; it appears complete or not at all.

    Raises:
        DiffusionSegError: if the file cannot be written.
    """
    with atomic_path(path) as part:
        figure.savefig(part, dpi=150)
