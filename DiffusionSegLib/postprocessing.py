"""Cleaning up of predicted label maps."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import SimpleITK as sitk


def keep_largest_components(labelmap: np.ndarray, values: Collection[int]) -> np.ndarray:
    """The label map (I, J, K) with all but the largest connected piece of each given label made background."""
    cleaned = labelmap.copy()
    for value in values:
        pieces = sitk.ConnectedComponent(sitk.GetImageFromArray((labelmap == value).astype(np.uint8)))
        largest = sitk.GetArrayFromImage(sitk.RelabelComponent(pieces, sortByObjectSize=True)) == 1
        cleaned[(labelmap == value) & ~largest] = 0
    return cleaned
