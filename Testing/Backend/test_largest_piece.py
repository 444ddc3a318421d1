import numpy as np

from DiffusionSegLib.largest_piece import largest_piece


def test_of_two_pieces_the_larger_stays():
    mask = np.zeros((6, 5, 4), bool)
    mask[0, 0, :2] = True
    mask[2:5, 1:4, 1:3] = True
    expected = mask.copy()
    expected[0] = False
    assert np.array_equal(largest_piece(mask), expected)


def test_voxels_that_meet_at_a_corner_do_not_hang_together():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, :2] = mask[1, 1, 2] = True
    assert largest_piece(mask).sum() == 2


def test_where_there_is_nothing_nothing_is_found():
    assert not largest_piece(np.zeros((3, 3, 3), bool)).any()
