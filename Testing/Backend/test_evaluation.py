from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.evaluation import Score, evaluate, mean_score
from DiffusionSegLib.grid import Grid

SHAPE = (24, 26, 28)
GRID = Grid(SHAPE, np.diag([1.0, 2.0, 3.0, 1.0]))


def _cube(start, size=6, value=1):
    labelmap = np.zeros(SHAPE, np.int32)
    labelmap[tuple(slice(low, low + size) for low in start)] = value
    return labelmap


def test_equal_label_maps_score_one_and_zero_millimetres():
    pytest.importorskip("monai")
    assert evaluate(_cube((5, 5, 5)), _cube((5, 5, 5)), GRID) == {1: Score(1.0, 0.0)}


@pytest.mark.parametrize(("shift", "millimetres"), [((2, 0, 0), 2.0), ((0, 2, 0), 4.0), ((0, 0, 2), 6.0)])
def test_distances_are_in_millimetres_along_each_axis(shift, millimetres):
    pytest.importorskip("monai")
    moved = _cube(tuple(5 + step for step in shift))
    score = evaluate(moved, _cube((5, 5, 5)), GRID)[1]
    assert score.dice == pytest.approx(2 / 3)
    assert score.hd95_mm == pytest.approx(millimetres)


def test_the_cropped_distance_equals_that_of_the_whole_volume():
    metrics = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    first, second = np.zeros(SHAPE, np.int32), np.zeros(SHAPE, np.int32)
    first[4:15, 6:17, 8:19] = random.random((11, 11, 11)) > 0.4
    second[6:17, 7:18, 9:20] = random.random((11, 11, 11)) > 0.4
    pair = [torch.from_numpy(mask[None, None]) for mask in (first, second)]
    whole = metrics.compute_hausdorff_distance(*pair, include_background=True, percentile=95, spacing=GRID.spacing)
    assert evaluate(first, second, GRID)[1].hd95_mm == pytest.approx(float(whole))


def test_what_the_library_warns_itself_of_is_no_news_to_the_user():
    pytest.importorskip("monai")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert evaluate(_cube((5, 5, 5)), _cube((7, 5, 5)), GRID)[1].hd95_mm == 2


def test_a_structure_that_was_missed_scores_zero_and_the_diagonal():
    pytest.importorskip("monai")
    assert evaluate(_cube((5, 5, 5), value=2), _cube((5, 5, 5)), GRID) == {1: Score(0.0, GRID.diagonal_mm)}


def test_a_structure_that_the_reference_lacks_is_left_out():
    pytest.importorskip("monai")
    prediction = _cube((5, 5, 5)) + _cube((15, 15, 15), value=7)
    scores = evaluate(prediction, _cube((5, 5, 5)), GRID)
    assert list(scores) == [1]
    assert mean_score(scores) == Score(1.0, 0.0)


def test_a_structure_at_the_volumes_border_can_be_scored():
    pytest.importorskip("monai")
    assert evaluate(_cube((0, 0, 0)), _cube((0, 0, 0)), GRID)[1] == Score(1.0, 0.0)


def test_without_monai_the_way_to_install_it_is_told(monkeypatch):
    for name in ("monai.metrics", "monai.metrics.hausdorff_distance", "monai.metrics.meandice"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DiffusionSegError, match="pip install"):
        evaluate(_cube((5, 5, 5)), _cube((5, 5, 5)), GRID)
