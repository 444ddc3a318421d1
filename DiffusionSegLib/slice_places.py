"""Whether slices make a regular grid."""

from __future__ import annotations

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError

REGULAR = "Load it in 3D Slicer with acquisition geometry regularization, and give the volume that you save there."
# Of the distance between slices. Positions in files are rounded; a missing slice moves others by half of it or more.
UNEVEN = 0.1
SAME_PLACE_MM = 1e-3
# What a tilted gantry shifts the last slice by within its plane, beyond rounding.
TILTED_MM = 1.0


def check_places(places: np.ndarray, normal: np.ndarray, one_of_several: str) -> None:
    """Raise a DiffusionSegError unless slices that follow each other make a regular grid.

    Args:
        places: of the slices' first voxels (N, 3) in mm.
        normal: the direction across the slices, of unit length.
        one_of_several: what to do where several slices lie at the same place.
    """
    along = places @ normal
    if len(along) < 2:
        return
    steps = np.diff(along)
    step = np.median(np.abs(steps))
    if step < SAME_PLACE_MM or (np.abs(steps) < UNEVEN * step).any() or (np.sign(steps) != np.sign(steps[0])).any():
        message = "The DICOM series holds several slices at the same place, such as phases or echoes."
        raise DiffusionSegError(message, one_of_several)
    if np.abs(along - np.linspace(along[0], along[-1], len(along))).max() > UNEVEN * step:
        raise DiffusionSegError("The slices of the DICOM series are missing in part or unevenly spaced.", REGULAR)
    way = places[-1] - places[0]
    if np.linalg.norm(way - (way @ normal) * normal) > TILTED_MM:
        raise DiffusionSegError("The slices of the DICOM series are shifted, as by a tilted gantry.", REGULAR)
