"""The box around what is marked in a volume."""

from __future__ import annotations

import numpy as np


def bounding_box(marked: np.ndarray) -> list[tuple[int, int]]:
    """First and one-past-last index along each axis of the voxels that are True, of which there is at least one.

    Args:
        marked: bool, of any number of axes.
    """
    # Listing all voxels takes 48 bytes for each: 4 GB for a large structure of a large CT.
    found = []
    for axis in range(marked.ndim):
        along = np.flatnonzero(marked.any(axis=tuple(other for other in range(marked.ndim) if other != axis)))
        found.append((int(along[0]), int(along[-1]) + 1))
    return found
