"""The largest of what hangs together."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask, both (I, J, K): bool, empty where the mask is."""
    numbered = sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)))
    # A view, which lasts as long as the image: volumes are large.
    pieces = sitk.GetArrayViewFromImage(numbered)
    highest = int(pieces.max())
    # Plane by plane, as counting makes its input larger.
    counts = sum(np.bincount(plane.ravel(), minlength=highest + 1)[1:] for plane in pieces)
    return np.asarray(pieces == (1 + int(np.argmax(counts)) if highest else 1))
