"""Boxes that a scan is worked through in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from DiffusionSegLib.features.projection import Box


def tiles_of_slice(tissue: np.ndarray, edge: int, axis: int, place: int) -> Iterator[Box]:
    """Boxes of `edge` by `edge` by one voxels that cover the crop's voxels at `place` along `axis`."""
    if not 0 <= place < tissue.shape[axis]:
        return
    slab = tissue[(slice(None),) * axis + (slice(place, place + 2),)]
    for tile in tiles_of(slab, edge):
        thin = [*tile]
        thin[axis] = (place, place + 1)
        yield thin[0], thin[1], thin[2]


def tiles_of(tissue: np.ndarray, edge: int) -> Iterator[Box]:
    """Boxes of `edge` voxels that cover the crop, but for those of air."""
    starts = itertools.product(*(range(0, size, edge) for size in tissue.shape))
    for corner in starts:
        ranges = [(start, min(start + edge, size)) for start, size in zip(corner, tissue.shape, strict=True)]
        # One voxel more at the far side: interpolation reaches into the next tile.
        if tissue[tuple(slice(start, stop + 1) for start, stop in ranges)].any():
            yield ranges[0], ranges[1], ranges[2]
