"""What segmenting a large scan takes: the whole command in a process of its own, on a synthetic head."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DiffusionSegLib.annotation_files import write_annotation
from DiffusionSegLib.benchmark.painting import background_box, central_slices, painted_only
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.writing import write_volume

SPACING_MM = 0.5
# Of the grid's extent along each axis: a head in the usual field of view.
HEAD_RADII = (0.6, 0.75, 0.7)
BALLS = {1: ((0.15, 0.1, 0.0), 0.2, 300.0), 2: ((-0.2, -0.1, 0.1), 0.15, 500.0)}
HEAD_BRIGHTNESS, NOISE = 700.0, 15.0
SLICES_PER_AXIS = 3


def segment_large(shape: tuple[int, int, int], bundle: str, device: str) -> str:
    """A table of the time and memory that a synthetic head on a grid of that shape takes, from nine painted slices.

    Raises:
        DiffusionSegError: if it cannot be segmented.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_head(folder, shape)
        scan, labels, out = (str(folder / part) for part in ("scan.nii.gz", "labels.nii.gz", "out"))
        command = [sys.executable, "-m", "DiffusionSegLib", "segment", scan, "--labels", labels, "--out", out]
        # A process of its own, so that nothing but the scan's own work counts.
        ended = subprocess.run([*command, "--bundle", bundle, "--device", device], stdout=subprocess.DEVNULL)  # noqa: S603, PLW1510
        if ended.returncode:
            raise DiffusionSegError("The large scan could not be segmented.", "See the message above.")
        return as_table(shape, json.loads((folder / "out" / "report.json").read_text(encoding="utf-8")))


def as_table(shape: tuple[int, int, int], report: dict[str, Any]) -> str:
    """What a `segment` command's report says of time and memory, as Markdown."""
    stages = [
        f"| {name} | {stage['seconds']:.1f} | {stage['peak_memory_mb']} |" for name, stage in report["stages"].items()
    ]
    voxels = " x ".join(map(str, shape))
    head = [f"Scan of {voxels} voxels, {report['device']}: peak memory {report['peak_memory_mb']} MB.", ""]
    return "\n".join([*head, "| stage | s | peak MB |", "|---|---|---|", *stages])


def _write_head(folder: Path, shape: tuple[int, int, int]) -> None:
    """The scan and its annotation."""
    image, reference = _head(shape)
    grid = Grid(shape, np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0]))
    write_volume(folder / "scan.nii.gz", image, grid)
    slices = central_slices(reference, per_axis=SLICES_PER_AXIS, stride=max(1, min(shape) // 20))
    write_annotation(
        folder / "labels.nii.gz",
        painted_only(reference, slices),
        grid,
        complete_slices=slices,
        background_box=background_box(reference),
        labels=[Label.generic(value) for value in BALLS],
    )


def _head(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A bright ellipsoid with two balls in it, int16, and the balls' labels."""
    axes = [np.linspace(-1, 1, size, dtype=np.float32) for size in shape]
    image, reference = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
    random = np.random.default_rng(0)
    # A slice at a time: the scan is large.
    for index, first in enumerate(axes[0]):
        second, third = np.meshgrid(axes[1], axes[2], indexing="ij")
        places = (np.full_like(second, first), second, third)
        brightness = np.full(second.shape, HEAD_BRIGHTNESS)
        for value, (centre, radius, of_ball) in BALLS.items():
            ball = _within(places, centre, (radius,) * 3)
            brightness[ball], reference[index][ball] = of_ball, value
        noisy = np.maximum(brightness + random.normal(0, NOISE, brightness.shape), 1)
        image[index] = np.where(_within(places, (0.0, 0.0, 0.0), HEAD_RADII), noisy, 0)
    return image, reference


def _within(places: Sequence[np.ndarray], centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
    scaled = [(place - middle) / radius for place, middle, radius in zip(places, centre, radii, strict=True)]
    return np.linalg.norm(scaled, axis=0) < 1
