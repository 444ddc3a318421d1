import numpy as np
import pytest

from DiffusionSegLib.box import lacking, slices_of, widened

SHAPE = (9, 8, 7)


@pytest.mark.parametrize("box", [((0, 9), (0, 8), (0, 7)), ((0, 1), (7, 8), (3, 4)), ((2, 5), (1, 6), (4, 5))])
@pytest.mark.parametrize("reach", [0, 1, 4])
def test_a_widened_box_and_what_it_lacks_are_as_many_voxels_more_on_every_side(box, reach):
    image = np.random.default_rng(0).random(SHAPE)
    missing = lacking(box, reach, SHAPE)
    sides = list(zip(missing[::2], missing[1::2], strict=True))[::-1]
    found = np.pad(image[slices_of(widened(box, reach, SHAPE))], sides, constant_values=-1)
    shifted = tuple((start, stop + 2 * reach) for start, stop in box)
    np.testing.assert_array_equal(found, np.pad(image, reach, constant_values=-1)[slices_of(shifted)])
