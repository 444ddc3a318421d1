"""A box of voxels."""

from __future__ import annotations

# First and one-past-last index along each axis.
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def slices_of(box: Box) -> tuple[slice, slice, slice]:
    """What a box is of an array."""
    first, second, third = (slice(start, stop) for start, stop in box)
    return first, second, third


def widened(box: Box, reach: int, shape: tuple[int, ...]) -> Box:
    """A box with as many more voxels on every side as there are in a volume of that shape, `reach` at most."""
    first, second, third = (
        (max(start - reach, 0), min(stop + reach, size)) for (start, stop), size in zip(box, shape, strict=True)
    )
    return first, second, third


def lacking(box: Box, reach: int, shape: tuple[int, ...]) -> list[int]:
    """How many of these voxels there are not, on each side of the last axis, then of the one before it, and the first.

    So `torch.nn.functional.pad` takes them.
    """
    found: list[int] = []
    for (start, stop), size in zip(reversed(box), reversed(shape), strict=True):
        found += [max(reach - start, 0), max(stop + reach - size, 0)]
    return found
