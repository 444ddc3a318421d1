"""Pictures of what the benchmarks measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib.benchmark.figures import new_figure, save_figure
from DiffusionSegLib.benchmark.reliability import ReliabilityBin
from DiffusionSegLib.benchmark.suggestion_curves import Point

# Two plots side by side.
SIZE = (10.0, 4.2)


def draw_curves(points: Sequence[Point], path: Path) -> None:
    """Dice against slices, a line for each way to choose them; PNG, or whatever the path's ending says."""
    figure = new_figure(*SIZE)
    for axes, title, measure in zip(
        figure.subplots(1, 2, sharex=True),
        ("voxels that nobody painted", "whole scan, painted voxels as painted"),
        ("unpainted", "whole"),
        strict=True,
    ):
        for way in dict.fromkeys(point.way for point in points):
            of_way = [point for point in points if point.way == way]
            dice = [100 * getattr(point, measure) for point in of_way]
            axes.plot([point.slices for point in of_way], dice, marker="o", label=way)
        axes.set(title=title, xlabel="painted slices", ylabel="mean Dice, %")
        axes.legend()
    save_figure(figure, path)


def draw_reliability(bins: Sequence[ReliabilityBin], error_rates: Sequence[float], path: Path) -> None:
    """Right labels against their probability, and wrong ones in each part of the voxels by uncertainty."""
    figure = new_figure(*SIZE)
    reliable, errors = figure.subplots(1, 2)
    lows, widths = [one.low for one in bins], [one.high - one.low for one in bins]
    reliable.bar(lows, [one.accuracy for one in bins], widths, align="edge", edgecolor="white", label="right")
    reliable.plot([one.confidence for one in bins], [one.accuracy for one in bins], "k.", label="mean of the bin")
    reliable.plot([0, 1], [0, 1], "k:", label="as it should be")
    reliable.set(xlabel="probability of the label", ylabel="share of right labels", xlim=(0, 1), ylim=(0, 1))
    reliable.legend()
    parts = range(1, len(error_rates) + 1)
    errors.bar(parts, [100 * rate for rate in error_rates])
    errors.set(xlabel="tenth of the voxels, from the most certain", ylabel="wrong labels, %", xticks=list(parts))
    save_figure(figure, path)
