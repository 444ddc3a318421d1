"""Where the body is in a CT scan."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

# Hounsfield units: above the lungs, below fat.
DENSE_ABOVE = -500.0


def body_mask(hounsfield: np.ndarray) -> np.ndarray:
    """Which voxels are the body's: bool (I, J, K) from Hounsfield units (I, J, K) in RAS order.

    The body is the largest thing that is denser than lung, with all that it surrounds in axial slices, such as lungs
    and airways. In three dimensions these may be open: to the nose, or where the scan ends. The couch is no part of it.
    """
    dense = sitk.GetImageFromArray((hounsfield > DENSE_ABOVE).astype(np.uint8))
    numbered = sitk.ConnectedComponent(dense)
    pieces = sitk.GetArrayViewFromImage(numbered)
    body = pieces == _largest(pieces)
    for index in range(body.shape[2]):
        plane = sitk.GetImageFromArray(body[:, :, index].astype(np.uint8))
        body[:, :, index] = sitk.GetArrayFromImage(sitk.BinaryFillhole(plane))
    return body


def _largest(pieces: np.ndarray) -> int:
    """The number of the piece that has most voxels; one that no voxel has where there are none."""
    highest = int(pieces.max())
    # Plane by plane, as counting makes its input larger.
    counts = sum(np.bincount(plane.ravel(), minlength=highest + 1)[1:] for plane in pieces)
    return 1 + int(np.argmax(counts)) if highest else 1
