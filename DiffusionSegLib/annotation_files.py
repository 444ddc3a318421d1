"""Annotations on disk: a label map, and beside it what it means."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import Annotation, CompleteSlices
from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.box import Box
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.reading import read_labelmap, stem
from DiffusionSegLib.segment_header import ENDING, read_labels
from DiffusionSegLib.writing import write_volume

KEYS = {"complete_slices", "background_box", "labels"}


def read_annotation(path: Path) -> Annotation:
    """The annotation in a label map and, if there is one, the JSON file of the same stem beside it.

    The JSON holds `complete_slices` (indices along i, j, k), `background_box` (first and one-past-last index along
    each axis) and `labels` (name and colour by value), each of them optional. Without it only painted voxels count.
    What it says of a label comes before what the header of a `.seg.nrrd` file says.

    Raises:
        DiffusionSegError: if either file cannot be read or makes no annotation.
    """
    painted, grid = read_labelmap(path)
    labels = read_labels(path) if path.name.lower().endswith(ENDING) else ()
    sidecar = description_of(path)
    if not sidecar.exists():
        return Annotation.from_painting(painted, grid, labels=labels)
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        slices = said.get("complete_slices", {})
        if unknown := set(slices) - set("ijk"):
            raise ValueError(f"complete_slices knows i, j and k, but not {', '.join(sorted(unknown))}")
        box = said.get("background_box")
        labels += tuple(_label(int(value), text) for value, text in said.get("labels", {}).items())
        complete = tuple(tuple(_index(index) for index in slices.get(axis, ())) for axis in "ijk")
        edges = None if box is None else tuple((_index(low), _index(high)) for low, high in box)
        if edges is not None and len(edges) != 3:
            raise ValueError("background_box needs three ranges")
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        message = f"{sidecar.name} does not describe an annotation ({error})."
        raise DiffusionSegError(message, "See the README for what belongs into it.") from error
    if unknown := set(said) - KEYS:
        # Another program may keep its own there, but a slip of the pen would cost what was meant by it.
        message = f"{sidecar.name} says {', '.join(sorted(unknown))}, which means nothing here."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
    return Annotation.from_painting(
        painted,
        grid,
        complete_slices=(complete[0], complete[1], complete[2]),
        background_box=None if edges is None else (edges[0], edges[1], edges[2]),
        labels=labels,
    )


def write_annotation(
    path: Path,
    painted: np.ndarray,
    grid: Grid,
    *,
    complete_slices: CompleteSlices,
    background_box: Box | None,
    labels: Sequence[Label],
) -> None:
    """Write a painted label map (I, J, K) and its JSON file so that `read_annotation` reads them back."""
    said: dict[str, Any] = {
        "complete_slices": {axis: list(indices) for axis, indices in zip("ijk", complete_slices, strict=True)},
        "labels": {str(label.value): {"name": label.name, "color": list(label.color)} for label in labels},
    }
    if background_box is not None:
        said["background_box"] = [list(edges) for edges in background_box]
    write_volume(path, painted.astype(np.uint16), grid)
    write_json(description_of(path), said)


def description_of(path: Path) -> Path:
    """The JSON file beside a painted label map that tells what it means; it need not exist."""
    return path.with_name(f"{stem(path)}.json")


def _index(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no voxel index")
    return value


def _label(value: int, text: dict[str, Any]) -> Label:
    color = _color(text["color"]) if "color" in text else Label.generic(value).color
    return Label(value, str(text.get("name", f"Label {value}")), color, str(text.get("terminology", "")))


def _color(said: Sequence[Any]) -> tuple[int, int, int]:
    """Red, green and blue up to 255, which may also be given as fractions of 1: as numbers with a point."""
    parts = [float(part) for part in said]
    most = 1 if any(type(part) is float for part in said) and max(parts) <= 1 else 255
    if not all(0 <= part <= most and (most == 1 or part.is_integer()) for part in parts):
        raise ValueError(f"the colour {said} is neither of whole numbers from 0 to 255 nor of fractions from 0 to 1")
    red, green, blue = (round(part * 255 / most) for part in parts)
    return red, green, blue
