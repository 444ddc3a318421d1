import numpy as np

from DiffusionSegLib.grid import Grid
from DiffusionSegLib.suggestion import suggest_slices


def test_the_slice_through_most_uncertainty_comes_first_with_its_view():
    uncertainty = np.full((20, 20, 20), 0.01)
    uncertainty[:, 13, :] = 1
    grid = Grid((20, 20, 20), np.diag([-1.0, 1.0, 1.0, 1.0]))
    first = suggest_slices(uncertainty, grid, count=3)[0]
    assert (first.axis, first.index, first.view, first.score) == ("j", 13, "coronal", 1.0)


def test_slices_near_painted_or_chosen_ones_are_not_named():
    uncertainty = np.random.default_rng(0).random((30, 30, 30))
    grid = Grid((30, 30, 30), np.eye(4))
    found = suggest_slices(uncertainty, grid, count=20, painted=((15,), (), ()))
    places = [(suggestion.axis, suggestion.index) for suggestion in found] + [("i", 15)]
    for number, (axis, index) in enumerate(places):
        assert all(abs(index - other) >= 6 for along, other in places[number + 1 :] if along == axis)


def test_where_nothing_is_uncertain_nothing_is_named():
    assert suggest_slices(np.zeros((5, 5, 5)), Grid((5, 5, 5), np.eye(4)), count=3) == []
