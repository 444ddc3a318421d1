import numpy as np
import pytest

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.slice_places import check_places

NORMAL = np.array([0.0, 0.6, 0.8])
ALONG = np.array([1.0, 0.0, 0.0])


def check(steps_mm, shift_mm=0.0):
    numbers = np.arange(len(steps_mm))[:, None]
    check_places(np.array(steps_mm)[:, None] * NORMAL + numbers * shift_mm * ALONG, NORMAL, "Choose one.")


@pytest.mark.parametrize("steps_mm", [[5.0], [0.0, 2.0, 4.0, 6.0], [6.0, 4.0, 2.0], [0.0, 1.003, 1.998, 3.0]])
def test_slices_at_even_distances_make_a_grid(steps_mm):
    check(steps_mm)


@pytest.mark.parametrize(
    ("steps_mm", "words"),
    [
        ([0.0, 2.0, 2.0, 4.0], r"several slices at the same place.*Choose one\."),
        ([0.0, 2.0, 0.0, 2.0], r"several slices at the same place.*Choose one\."),
        ([0.0, 2.0, 6.0, 8.0], "missing in part or unevenly spaced"),
    ],
)
def test_slices_at_other_distances_are_told_of(steps_mm, words):
    with pytest.raises(DiffusionSegError, match=words):
        check(steps_mm)


def test_slices_that_are_shifted_within_their_plane_are_told_of():
    with pytest.raises(DiffusionSegError, match="tilted gantry"):
        check([0.0, 2.0, 4.0, 6.0], shift_mm=0.5)
