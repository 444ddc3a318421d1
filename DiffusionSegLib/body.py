"""Where the body is in a CT scan."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.largest_piece import largest_piece

# Hounsfield units: above the lungs, below fat.
DENSE_ABOVE = -500.0


def body_mask(hounsfield: np.ndarray) -> np.ndarray:
    """Which voxels are the body's: bool (I, J, K) from Hounsfield units (I, J, K) in RAS order.

    The body is the largest thing that is denser than lung, with all that it surrounds in axial slices, such as lungs
    and airways. In three dimensions these may be open: to the nose, or where the scan ends. The couch is no part of it.
    """
    body = largest_piece(hounsfield > DENSE_ABOVE)
    for index in range(body.shape[2]):
        plane = sitk.GetImageFromArray(body[:, :, index].astype(np.uint8))
        body[:, :, index] = sitk.GetArrayFromImage(sitk.BinaryFillhole(plane))
    return body
