"""The speed benchmark as a picture: cost against size, labels and members, and each stage against the roof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DiffusionSegLib.benchmark.figures import new_figure, save_figure
from DiffusionSegLib.benchmark.speed.comparison import SpeedComparison

WIDTH, HEIGHT = 11.0, 7.0


def write_plot(path: Path, found: SpeedComparison) -> None:
    """Write the picture, in the format that the name's ending says.

    Raises:
        DiffusionSegError: if matplotlib is not installed, or the file cannot be written.
    """
    figure = new_figure(WIDTH, HEIGHT)
    (sizes, labels), (members, roof) = figure.subplots(2, 2)
    _draw_sizes(sizes, found)
    _draw_durations(labels, found.labels, "labels")
    _draw_durations(members, found.ensembles, "members of the ensemble")
    _draw_roof(roof, found)
    save_figure(figure, path)


def _draw_sizes(axes: Any, found: SpeedComparison) -> None:
    voxels = [size.voxels for size in found.sizes]
    for name, costs in (
        ("features", [size.features for size in found.sizes]),
        ("prediction", [size.prediction for size in found.sizes]),
    ):
        axes.plot(voxels, [cost.seconds for cost in costs], marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="voxels of the longest edge", ylabel="seconds")
    axes.set_xticks(voxels, [str(size.edge) for size in found.sizes])
    axes.set_xticks([], minor=True)
    axes.legend()


def _draw_durations(axes: Any, durations: dict[int, float], what: str) -> None:
    axes.plot(list(durations), list(durations.values()), marker="o")
    axes.set(xlabel=what, ylabel="seconds, prediction of the region", ylim=(0, 1.1 * max(durations.values())))


def _draw_roof(axes: Any, found: SpeedComparison) -> None:
    """Of each stage: its floors by operations and by bytes, what was measured, and the ratio."""
    for place, roof in enumerate(found.rooflines.values()):
        axes.barh(place, roof.seconds, color="0.85")
        for floor, color, name in ((roof.by_operations, "C0", "operations"), (roof.by_bytes, "C1", "bytes")):
            axes.plot([floor] * 2, [place - 0.4, place + 0.4], color=color, label=None if place else f"by {name}")
        axes.text(roof.seconds, place, f" {100 * roof.share:.0f} % of the roof", va="center")
    axes.set(yticks=range(len(found.rooflines)), yticklabels=list(found.rooflines), xscale="log", xlabel="seconds")
    # Room for the longest bar's text.
    axes.set_xlim(right=5 * max(roof.seconds for roof in found.rooflines.values()))
    axes.legend(title="floor", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
