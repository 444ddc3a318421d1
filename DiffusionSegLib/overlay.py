"""A picture of a segmentation over its scan."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.annotation import CompleteSlices
from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.prediction import Prediction

OPACITY = 0.45
PANEL_PIXELS = 300
PANELS_PER_VIEW = 4
PAINTED_FRAME = (255, 200, 0)


def write_overlay(path: Path, image: np.ndarray, prediction: Prediction, painted: CompleteSlices) -> None:
    """Write a PNG: axial, coronal and sagittal slices through the structures in radiological convention.

    Args:
        path: where to.
        image: the scan's first channel (I, J, K).
        prediction: what was segmented on the same grid.
        painted: slices along each axis that the annotator completed; one of each view is shown, in a frame.
    """
    affine = prediction.grid.affine
    upright = nib.orientations.io_orientation(affine)
    image = nib.orientations.apply_orientation(image, upright)
    labelmap = nib.orientations.apply_orientation(prediction.labelmap, upright)
    spacing = [prediction.grid.spacing[int(np.flatnonzero(upright[:, 0] == axis)[0])] for axis in range(3)]
    colors = np.zeros((int(labelmap.max(initial=0)) + 1, 3), np.float32)
    for label in prediction.labels:
        if label.value < len(colors):
            colors[label.value] = label.color
    grey = np.clip(image / max(np.percentile(image[image > image.min()], 99.5), 1e-6), 0, 1) * 255
    rows = []
    for axis in (2, 1, 0):
        source_axis = int(np.flatnonzero(upright[:, 0] == axis)[0])
        complete = _upright_indices(painted[source_axis], upright[source_axis, 1], image.shape[axis])
        panels = []
        for index in _shown(labelmap, axis, complete):
            plane = [np.take(array, index, axis=axis) for array in (grey, labelmap)]
            size = [spacing[other] for other in range(3) if other != axis]
            panels.append(_panel(plane[0], plane[1].astype(int), colors, size, framed=index in complete))
        rows.append(np.concatenate(panels, axis=1))
    picture = sitk.GetImageFromArray(np.concatenate(rows, axis=0), isVector=True)
    with atomic_path(path) as part:
        sitk.WriteImage(picture, str(part))


def _upright_indices(indices: tuple[int, ...], direction: float, size: int) -> tuple[int, ...]:
    return indices if direction > 0 else tuple(size - 1 - index for index in indices)


def _shown(labelmap: np.ndarray, axis: int, complete: tuple[int, ...]) -> list[int]:
    """Slices spread over the structures, the first of them a painted one if there is any."""
    found = np.flatnonzero(labelmap.any(axis=tuple(other for other in range(3) if other != axis)))
    low, high = (int(found[0]), int(found[-1])) if len(found) else (0, labelmap.shape[axis] - 1)
    shares = (np.arange(PANELS_PER_VIEW) + 0.5) / PANELS_PER_VIEW
    shown = [round(low + share * (high - low)) for share in shares]
    if complete:
        middle = complete[len(complete) // 2]
        shown[int(np.argmin(np.abs(np.asarray(shown) - middle)))] = middle
    return shown


def _panel(
    grey: np.ndarray, labels: np.ndarray, colors: np.ndarray, spacing: list[float], *, framed: bool
) -> np.ndarray:
    """A square RGB picture of a slice given as (first axis, second axis), the first to the left, the second up."""
    extent = max(grey.shape[0] * spacing[0], grey.shape[1] * spacing[1])
    places = []
    for size, step in zip(grey.shape, spacing, strict=True):
        millimetres = (np.arange(PANEL_PIXELS) + 0.5) / PANEL_PIXELS * extent - (extent - size * step) / 2
        places.append(np.floor(millimetres / step).astype(int))
    outside = ~np.logical_and.outer(
        *((place >= 0) & (place < size) for place, size in zip(places, grey.shape, strict=True))
    )
    index = np.ix_(*(np.clip(place, 0, size - 1) for place, size in zip(places, grey.shape, strict=True)))
    picture = np.repeat(grey[index][..., None], 3, axis=2)
    shown = labels[index]
    tinted = (1 - OPACITY) * picture + OPACITY * colors[shown]
    picture = np.where((shown > 0)[..., None], tinted, picture)
    picture[outside] = 0
    # The patient's right is on the viewer's left, head and nose are up or to the left.
    picture = picture[::-1, ::-1].swapaxes(0, 1).astype(np.uint8)
    if framed:
        for edge in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]):
            picture[edge] = PAINTED_FRAME
    return np.ascontiguousarray(picture)
