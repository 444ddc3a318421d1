"""Which voxels a painting tells of; needs numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def known_voxels(
    painted: np.ndarray,
    complete_slices: Sequence[Sequence[int]],
    background_box: Sequence[Sequence[int]] | None,
) -> np.ndarray:
    """What is painted, and as background all else on complete slices and outside the background box.

    Args:
        painted: label values (I, J, K), 0 where nothing is painted.
        complete_slices: indices along each axis.
        background_box: first and one-past-last index along each axis; None if there is no box.

    Returns:
        bool (I, J, K).
    """
    known = painted > 0
    for axis, indices in enumerate(complete_slices):
        np.moveaxis(known, axis, 0)[list(indices)] = True
    if background_box is not None:
        outside = np.ones(painted.shape, bool)
        outside[tuple(slice(low, high) for low, high in background_box)] = False
        known |= outside
    return known
