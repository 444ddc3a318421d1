"""Random choices that stay what they were when more is annotated."""

from __future__ import annotations

import numpy as np

STEP = 0x9E3779B97F4A7C15
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def steady_draws(keys: np.ndarray, seed: int) -> np.ndarray:
    """A number from 0 to 1 for each of the whole numbers `keys`, which no other key has any part in.

    The mixing function of SplitMix64 (Steele et al. 2014).
    """
    mixed = keys.astype(np.uint64) + np.uint64((seed + 1) * STEP % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
    return (mixed ^ (mixed >> np.uint64(31))) / np.float64(2**64)
