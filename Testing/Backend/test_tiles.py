import numpy as np
import pytest

from DiffusionSegLib.tiles import tiles_of, tiles_of_slice


def times_covered(tiles, shape):
    found = np.zeros(shape, int)
    for tile in tiles:
        found[tuple(slice(*edges) for edges in tile)] += 1
    return found


@pytest.mark.parametrize("shape", [(1, 2, 5), (16, 17, 24), (40, 63, 150)])
@pytest.mark.parametrize("reduction", [1, 2, 4, 16])
def test_every_voxel_lies_in_one_tile_that_is_not_much_larger_than_told(shape, reduction):
    tiles = list(tiles_of(np.ones(shape, bool), 16, reduction))
    assert (times_covered(tiles, shape) == 1).all()
    assert max(stop - start for tile in tiles for start, stop in tile) < 1.5 * 16 + reduction


def test_tiles_end_in_the_middle_of_pixels():
    inner = {stop for tile in tiles_of(np.ones((150, 40, 64), bool), 16, 4) for _, stop in tile} - {150, 40, 64}
    assert {edge % 4 for edge in inner} == {2}


def test_air_is_skipped_but_not_what_interpolation_reaches_into():
    tissue = np.zeros((48, 48, 48), bool)
    tissue[20:22, 18, 20] = True
    found = times_covered(tiles_of(tissue, 16, 4), tissue.shape)
    assert found[20, 18, 20] == found[20, 17, 20] == 1
    assert found.sum() < 48**3 / 4


def test_a_slice_is_covered_by_thin_tiles():
    tiles = list(tiles_of_slice(np.ones((50, 60, 20), bool), 48, 4, 2, 7))
    covered = times_covered(tiles, (50, 60, 20))
    assert (covered[:, :, 7] == 1).all()
    assert covered.sum() == 50 * 60
    assert not list(tiles_of_slice(np.ones((50, 60, 20), bool), 48, 4, 2, 20))
