"""An annotator who paints what a reference says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DiffusionSegLib.annotation import Annotation, CompleteSlices
from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.box import Box
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label

# The papers' nine slices: so many along each axis, and their distance in voxels.
NINE = (3, 10)


def central_slices(reference: np.ndarray, *, per_axis: int, stride: int | tuple[int, int, int]) -> CompleteSlices:
    """So many slices along each axis, `stride` voxels apart, around the mean position of all structures' voxels."""
    centre = np.rint(np.argwhere(reference > 0).mean(0)).astype(int)
    strides = stride if isinstance(stride, tuple) else (stride, stride, stride)
    along = []
    for middle, size, step in zip(centre.tolist(), reference.shape, strides, strict=True):
        places = [middle + step * number - (per_axis - 1) * step // 2 for number in range(per_axis)]
        along.append(tuple(place for place in places if 0 <= place < size))
    return along[0], along[1], along[2]


def background_box(reference: np.ndarray) -> Box:
    """The tight box around all structures: first and one-past-last index along each axis."""
    first, second, third = bounding_box(reference > 0)
    return first, second, third


def nine_slices(reference: np.ndarray) -> CompleteSlices:
    """The slices that the papers' protocol begins with: three along each axis, ten voxels apart."""
    per_axis, stride = NINE
    return central_slices(reference, per_axis=per_axis, stride=stride)


def painted_only(reference: np.ndarray, slices: CompleteSlices) -> np.ndarray:
    """The reference on the slices, 0 elsewhere."""
    return np.where(on_slices(reference.shape, slices), reference, 0)


def on_slices(shape: tuple[int, ...], slices: CompleteSlices) -> np.ndarray:
    """Which voxels lie on one of the slices: bool of `shape`."""
    found = np.zeros(shape, bool)
    for axis, indices in enumerate(slices):
        np.moveaxis(found, axis, 0)[list(indices)] = True
    return found


def annotate_slices(
    reference: np.ndarray,
    grid: Grid,
    *,
    per_axis: int,
    stride: int,
    background: bool,
    labels: Sequence[Label] = (),
) -> Annotation:
    """The annotation of someone who completes the central slices and, if told, marks the background region."""
    slices = central_slices(reference, per_axis=per_axis, stride=stride)
    return annotation_of(reference, grid, slices, background=background, labels=labels)


def annotation_of(
    reference: np.ndarray, grid: Grid, slices: CompleteSlices, *, background: bool, labels: Sequence[Label] = ()
) -> Annotation:
    """The annotation of someone who completes these slices and, if told, marks the background region."""
    return Annotation.from_painting(
        painted_only(reference, slices),
        grid,
        complete_slices=slices,
        background_box=background_box(reference) if background else None,
        labels=labels,
    )
