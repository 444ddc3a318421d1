import numpy as np
import pytest
from conftest import an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib.grid import Grid


def test_spacing_is_told_whatever_the_orientation():
    grid = Grid((4, 5, 6), an_affine(an_oblique_rotation(), (0.5, 1.0, 3.0)))
    np.testing.assert_allclose(grid.spacing, (0.5, 1.0, 3.0))


@pytest.mark.parametrize("directions", axis_orders()[:4])
def test_a_grid_matches_itself_but_not_one_that_is_shifted_or_flipped(directions):
    grid = Grid((4, 5, 6), an_affine(directions, (1, 1, 1)))
    shifted = grid.affine.copy()
    shifted[0, 3] += 0.01
    assert grid.matches(Grid((4, 5, 6), grid.affine + 1e-6))
    # As far as an oblique grid moves that one program wrote and another one saved again.
    moved = grid.affine.copy()
    moved[:3, 3] += 0.0065
    assert grid.matches(Grid((4, 5, 6), moved))
    assert not grid.matches(Grid((4, 5, 6), shifted))
    assert not grid.matches(Grid((4, 5, 7), grid.affine))


def test_a_grid_matches_one_of_another_space():
    grid = Grid((4, 5, 6), np.eye(4))
    assert grid.matches(Grid((4, 5, 6), np.eye(4), space_codes=(4, 4)))


def test_the_diagonal_is_measured_in_millimetres():
    assert Grid((3, 4, 12), np.diag([1, 1, 1, 1.0])).diagonal_mm == pytest.approx(13)
