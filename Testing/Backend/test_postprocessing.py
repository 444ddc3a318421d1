import numpy as np

from DiffusionSegLib.postprocessing import keep_largest_components


def test_only_the_largest_piece_of_the_chosen_label_is_kept():
    labelmap = np.zeros((10, 10, 10), np.uint16)
    labelmap[1:4, 1:4, 1:4], labelmap[7, 7, 7], labelmap[8, 1, 1], labelmap[1, 8, 8] = 5, 5, 6, 6
    cleaned = keep_largest_components(labelmap, (5, 99))
    assert np.count_nonzero(cleaned == 5) == 27
    assert np.count_nonzero(cleaned == 6) == 2
    assert labelmap[7, 7, 7] == 5
