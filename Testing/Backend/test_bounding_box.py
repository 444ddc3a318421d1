import numpy as np
import pytest

from DiffusionSegLib.bounding_box import bounding_box


@pytest.mark.parametrize("marked", [[(3, 4, 5)], [(0, 0, 0), (7, 8, 9)], [(2, 8, 1), (5, 3, 1)]])
def test_the_box_is_that_of_the_smallest_and_largest_indices(marked):
    volume = np.zeros((8, 9, 10), bool)
    volume[tuple(np.array(marked).T)] = True
    found = np.argwhere(volume)
    low, past = found.min(0), found.max(0) + 1
    assert bounding_box(volume) == [(int(first), int(last)) for first, last in zip(low, past, strict=True)]
