"""Probabilities and uncertainty that are known to be honest, boastful or empty."""

import json
import sys

import numpy as np
import pytest
from conftest import a_head
from oasis_phantoms import write_people

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark import calibration
from DiffusionSegLib.benchmark.calibration import around_structures
from DiffusionSegLib.benchmark.reliability import error_auroc, error_rates, expected_calibration_error, reliability
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.prediction import Prediction

RANDOM = np.random.default_rng(0)


def test_honest_probabilities_have_no_calibration_error():
    confidence = RANDOM.uniform(0.3, 1, 200_000)
    assert expected_calibration_error(reliability(confidence, RANDOM.random(200_000) < confidence)) < 0.01


def test_boasting_by_a_fifth_is_an_error_of_a_fifth():
    confidence = RANDOM.uniform(0.5, 1, 200_000)
    right = RANDOM.random(200_000) < confidence - 0.2
    assert expected_calibration_error(reliability(confidence, right)) == pytest.approx(0.2, abs=0.01)


def test_bins_hold_their_upper_ends_and_empty_ones_are_left_out():
    bins = reliability(np.array([0.0, 0.1, 0.11, 1.0]), np.array([True, False, True, True]), bins=10)
    assert [(one.low, one.high, one.share) for one in bins] == [(0, 0.1, 0.5), (0.1, 0.2, 0.25), (0.9, 1, 0.25)]
    assert bins[0].accuracy == 0.5


def test_doubt_that_finds_all_mistakes_ranks_them_all_higher():
    right = np.arange(100) < 90
    assert error_auroc(np.arange(100), right) == 1
    assert error_auroc(-np.arange(100), right) == 0
    assert error_auroc(np.zeros(100), right) == 0.5
    assert np.isnan(error_auroc(np.arange(100), np.ones(100, bool)))


def test_mistakes_gather_in_the_most_doubted_tenth():
    rates = error_rates(np.arange(100)[::-1], np.arange(100) >= 5)
    assert rates == [0.0] * 9 + [0.5]


def test_voxels_of_the_same_doubt_are_wrong_alike_in_all_parts():
    assert error_rates(np.zeros(100), np.arange(100) >= 20) == pytest.approx([0.2] * 10)


def test_the_margin_is_measured_in_millimetres():
    reference = np.zeros((9, 9, 9), int)
    reference[4, 4, 4] = 3
    near = around_structures(reference, Grid(reference.shape, np.diag([1.0, 2.0, 4.0, 1.0])), 4.0)
    assert [int(near.any(axis=other).sum()) for other in [(1, 2), (0, 2), (0, 1)]] == [9, 5, 3]


class HalfRightSession:
    """Knows the phantom, but calls each second voxel of ball 3 background, and is in doubt of those alone."""

    def open(self, volume):
        self.grid = volume.grid

    def annotate(self, annotation):
        pass

    def train(self):
        return None

    def predict(self, _):
        labels = a_head(self.grid.shape)[1].astype(np.uint16)
        odd = np.indices(labels.shape).sum(0) % 2 == 1
        missed = (labels == 3) & odd
        confidence = np.where(missed, 100, 255).astype(np.uint8)
        return Prediction(np.where(missed, 0, labels), missed.astype(np.float32), confidence, self.grid, ())


def test_the_command_tells_how_well_doubt_finds_mistakes(tmp_path, tiny_bundle, capsys, monkeypatch):
    write_people(tmp_path, {"sub-1": "train", "sub-2": "test", "sub-3": "test"})
    monkeypatch.setattr(calibration, "Session", lambda _: HalfRightSession())
    out = ["--json", str(tmp_path / "found.json"), "--plot", str(tmp_path / "found.png")]
    assert main(["benchmark", "calibration", "--data", str(tmp_path), "--bundle", str(tiny_bundle.folder), *out]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in printed[2:6]] == [
        "sub-2",
        "sub-3",
        "all",
        "all, taken for a structure",
    ]
    found = json.loads((tmp_path / "found.json").read_text())
    together = found["summaries"]["all"]
    assert together["voxels"] == found["summaries"]["sub-2"]["voxels"] + found["summaries"]["sub-3"]["voxels"]
    assert together["auroc_of_uncertainty"] == together["auroc_of_confidence"] == 1
    # All that is called a structure is one; what is called background with a probability of 0.39 never is.
    assert found["summaries"]["all, taken for a structure"]["accuracy"] == 1
    assert found["bins"][0]["accuracy"] == 0
    assert together["ece"] == pytest.approx(found["bins"][0]["share"] * 100 / 255)
    assert found["error_rates"][0] == 0 < found["error_rates"][-1]
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_air_far_from_structures_does_not_count(tmp_path, tiny_bundle, monkeypatch, capsys):
    write_people(tmp_path, {"sub-1": "train", "sub-2": "test"})
    monkeypatch.setattr(calibration, "Session", lambda _: HalfRightSession())
    arguments = ["--data", str(tmp_path), "--bundle", str(tiny_bundle.folder), "--margin", "2"]
    assert main(["benchmark", "calibration", *arguments]) == 0
    counted = int(capsys.readouterr().out.splitlines()[2].split("|")[2])
    image, labels = a_head((31, 28, 26))
    assert np.count_nonzero(labels) < counted < np.count_nonzero(image)


def test_a_missing_package_of_the_extra_is_told_of_in_one_sentence(tmp_path, monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("DiffusionSegLib.commands.benchmark.import_module", lambda _: missing("scipy"))
    assert main(["benchmark", "calibration", "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "needs the package scipy" in told
    assert "DiffusionSeg[benchmark]" in told


def test_plots_without_matplotlib_are_told_of_in_one_sentence(tmp_path, tiny_bundle, monkeypatch, capsys):
    write_people(tmp_path, {"sub-1": "train", "sub-2": "test"})
    monkeypatch.setattr(calibration, "Session", lambda _: HalfRightSession())
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    arguments = ["--data", str(tmp_path), "--bundle", str(tiny_bundle.folder), "--plot", str(tmp_path / "a.png")]
    assert main(["benchmark", "calibration", *arguments]) == 2
    assert "matplotlib" in capsys.readouterr().err
