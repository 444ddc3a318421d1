"""Painting on from nine slices on phantoms."""

import json

import numpy as np
import pytest
from oasis_phantoms import write_people

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark import suggestions
from DiffusionSegLib.benchmark.next_slices import AtRandom, EvenlySpaced, suggested
from DiffusionSegLib.benchmark.suggestion_curves import Painted, Point, scored
from DiffusionSegLib.benchmark.suggestions import mean_points
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.prediction import Prediction

BOX = ((10, 40), (5, 25), (0, 20))


def a_prediction_of(labelmap, uncertainty, grid):
    return Prediction(labelmap, uncertainty, np.full(labelmap.shape, 255, np.uint8), grid, ())


def a_prediction(unsure=(0, 0, 0)):
    uncertainty = np.zeros((50, 30, 20), np.float32)
    uncertainty[unsure] = 1
    return a_prediction_of(np.zeros(uncertainty.shape, np.uint16), uncertainty, Grid(uncertainty.shape, np.eye(4)))


def test_evenly_spaced_slices_halve_the_widest_gap():
    assert EvenlySpaced(BOX)(a_prediction(), ((), (), ()), 4) == [(0, 24), (1, 14), (2, 9), (0, 32)]
    assert EvenlySpaced(BOX)(a_prediction(), ((24,), (14,), (9,)), 1) == [(0, 32)]


def test_chance_stays_in_the_box_and_off_painted_slices():
    painted = (tuple(range(10, 39)), tuple(range(5, 25)), tuple(range(1, 20)))
    assert set(AtRandom(BOX, 0)(a_prediction(), painted, 5)) == {(0, 39), (2, 0)}


def test_chance_repeats_itself_with_its_seed():
    first, second, other = (AtRandom(BOX, seed)(a_prediction(), ((), (), ()), 5) for seed in (1, 1, 2))
    assert first == second != other


def test_the_suggested_slice_runs_through_what_is_uncertain():
    assert suggested(a_prediction(np.s_[:, 17, :]), ((), (), ()), 1) == [(1, 17)]


def test_all_ways_are_scored_on_voxels_that_none_of_them_painted():
    reference = np.zeros((8, 8, 8), np.uint16)
    reference[2:6, 2:6, 2:6] = 3
    right_but_one_slice = reference.copy()
    right_but_one_slice[2] = 0
    found = {
        "a": [Painted(((4,), (), ()), right_but_one_slice)],
        "b": [Painted(((), (), ()), reference), Painted(((2,), (), ()), reference)],
    }
    points = scored(found, reference)
    assert [(point.way, point.slices) for point in points] == [("a", 1), ("b", 0), ("b", 1)]
    assert points[0].unpainted == 1
    assert points[0].whole == pytest.approx(2 * 48 / (48 + 64))


def test_seeds_of_chance_count_as_one_way():
    points = [Point("random 0", 9, 0.4, 0.5), Point("random 1", 9, 0.6, 0.7), Point("suggested", 9, 0.8, 0.9)]
    assert mean_points(points) == [Point("random", 9, 0.5, pytest.approx(0.6)), points[2]]


class PaintingSession:
    """Predicts what is painted and nothing else, and is unsure of two slices beyond the nine."""

    UNSURE = (51, 14)

    def open(self, volume):
        self.volume = volume

    def annotate(self, annotation):
        self.annotation = annotation

    def train(self):
        pass

    def predict(self):
        labelmap = np.maximum(self.annotation.labelmap, 0).astype(np.uint16)
        uncertainty = np.zeros(labelmap.shape, np.float32)
        for axis_0, doubt in zip(self.UNSURE, (0.5, 0.4), strict=True):
            uncertainty[axis_0] = doubt
        return a_prediction_of(labelmap, self.annotation.surely(uncertainty), self.volume.grid)


def test_the_command_paints_in_rounds_and_prints_and_draws_the_curves(tmp_path, tiny_bundle, capsys, monkeypatch):
    write_people(tmp_path, {"sub-1": "train", "sub-2": "validation"}, (66, 54, 52))
    monkeypatch.setattr(suggestions, "Session", lambda _: PaintingSession())
    arguments = ["--data", str(tmp_path), "--bundle", str(tiny_bundle.folder), "--people", "validation"]
    more = ["--more", "2", "--at-once", "1", "--seeds", "1"]
    out = ["--json", str(tmp_path / "curve.json"), "--plot", str(tmp_path / "curve.png")]
    assert main(["benchmark", "suggestions", *arguments, *more, *out]) == 0
    ways = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]]
    assert ways == ["suggested"] * 3 + ["evenly spaced"] * 3 + ["random"] * 3
    points = json.loads((tmp_path / "curve.json").read_text())["sub-2"]
    assert [point["slices"] for point in points] == [9, 10, 11] * 3
    assert len({point["whole"] for point in points[::3]}) == 1
    assert points[0]["whole"] < points[1]["whole"] < points[2]["whole"]
    assert {point["unpainted"] for point in points} == {0}
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
