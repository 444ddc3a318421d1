"""Boxes that a scan is worked through in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from DiffusionSegLib.box import Box


def tiles_of_slice(tissue: np.ndarray, edge: int, reduction: int, axis: int, where: float) -> Iterator[Box]:
    """Boxes of about `edge` by `edge` by one voxels that cover what of the crop lies just below a place along an axis.

    None do if that is outside the crop or no number.
    """
    if not 0 <= where < tissue.shape[axis]:
        return
    place = int(where)
    slab = tissue[(slice(None),) * axis + (slice(place, place + 2),)]
    for tile in tiles_of(slab, edge, reduction):
        thin = [*tile]
        thin[axis] = (place, place + 1)
        yield thin[0], thin[1], thin[2]


def tiles_of(tissue: np.ndarray, edge: int, reduction: int) -> Iterator[Box]:
    """Boxes of about `edge` voxels that cover the crop, but for those of air.

    They end in the middle of pixels of `reduction` voxels, where one pixel less takes part in interpolation: five along
    each axis for sixteen voxels, which six would be needed for if tiles ended between two pixels. (What is smoothed
    looks a voxel farther, for which it is the other way round; the time was the same within what it varies by.)
    """
    first, second, third = (_ranges(size, edge, reduction) for size in tissue.shape)
    for box in itertools.product(first, second, third):
        # One voxel more at the far side: interpolation reaches into the next tile.
        if tissue[tuple(slice(start, stop + 1) for start, stop in box)].any():
            yield box


def _ranges(size: int, edge: int, reduction: int) -> list[tuple[int, int]]:
    count = max(1, round(size / edge))
    # Of about the same length, so that no thin one is left at the end.
    wanted = (number * size / count - reduction // 2 for number in range(1, count))
    inner = (reduction // 2 + reduction * round(place / reduction) for place in wanted)
    return list(itertools.pairwise([0, *inner, size]))
