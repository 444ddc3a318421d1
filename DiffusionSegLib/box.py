"""A box of voxels."""

from __future__ import annotations

# First and one-past-last index along each axis.
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def slices_of(box: Box) -> tuple[slice, slice, slice]:
    """What a box is of an array."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return first, second, third
