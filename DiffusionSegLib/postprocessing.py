"""Cleaning up of predicted label maps."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from DiffusionSegLib.largest_piece import largest_piece


def keep_largest_components(labelmap: np.ndarray, values: Collection[int]) -> np.ndarray:
    """The label map (I, J, K) with all but the largest connected piece of each given label made background."""
    cleaned = labelmap.copy()
    for value in values:
        mask = labelmap == value
        cleaned[mask & ~largest_piece(mask)] = 0
    return cleaned
