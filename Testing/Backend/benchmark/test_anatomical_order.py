import numpy as np
import pytest
from conftest import an_affine, axis_orders

from DiffusionSegLib.benchmark.anatomical_order import AnatomicalOrder
from DiffusionSegLib.grid import Grid

PLACES = np.stack(np.meshgrid(*map(np.arange, (3, 4, 5)), indexing="ij"), axis=-1)


@pytest.mark.parametrize("directions", axis_orders())
def test_axes_run_right_front_and_up_and_back_again(directions):
    affine = an_affine(directions, (1.0, 1.0, 1.0))
    array = PLACES @ affine[:3, :3].T
    order = AnatomicalOrder(Grid((3, 4, 5), affine))
    for axis in range(3):
        ordered = order.apply(array[..., axis])
        assert (np.diff(ordered, axis=axis) == 1).all()
        np.testing.assert_array_equal(order.undo(ordered), array[..., axis])
