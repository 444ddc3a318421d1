from __future__ import annotations

import numpy as np
import pytest

from DiffusionSegLib.benchmark.painting import annotate_slices, background_box, central_slices, on_slices, painted_only
from DiffusionSegLib.grid import Grid


def _block(shape=(60, 70, 80), low=(20, 22, 24), high=(41, 43, 45), value=4):
    reference = np.zeros(shape, np.int32)
    reference[tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))] = value
    return reference


def test_three_slices_an_axis_lie_ten_voxels_apart_around_the_structures_middle():
    slices = central_slices(_block(), per_axis=3, stride=10)
    assert slices == ((20, 30, 40), (22, 32, 42), (24, 34, 44))


@pytest.mark.parametrize(
    ("per_axis", "stride", "expected"), [(5, 5, (20, 25, 30, 35, 40)), (10, 2, tuple(range(21, 40, 2)))]
)
def test_more_slices_stay_centred(per_axis, stride, expected):
    assert central_slices(_block(), per_axis=per_axis, stride=stride)[0] == expected


def test_slices_outside_of_the_volume_are_left_out():
    reference = np.zeros((12, 60, 60), np.int32)
    reference[5:8, 20:41, 20:41] = 1
    assert central_slices(reference, per_axis=3, stride=10)[0] == (6,)


def test_the_box_is_tight_and_its_ends_are_exclusive():
    assert background_box(_block()) == ((20, 41), (22, 43), (24, 45))


def test_only_the_slices_are_painted():
    reference = _block()
    slices = central_slices(reference, per_axis=3, stride=10)
    painted, inside = painted_only(reference, slices), on_slices(reference.shape, slices)
    assert np.array_equal(painted[inside], reference[inside])
    assert not painted[~inside].any()


def test_the_background_region_makes_all_outside_of_the_box_known():
    reference = _block()
    grid = Grid(reference.shape, np.eye(4))
    few = annotate_slices(reference, grid, per_axis=3, stride=10, background=False)
    more = annotate_slices(reference, grid, per_axis=3, stride=10, background=True)
    assert few.labelmap[0, 0, 0] == -1
    assert more.labelmap[0, 0, 0] == 0
    assert more.labelmap[21, 23, 25] == -1
    assert more.labelmap[30, 23, 25] == 4
