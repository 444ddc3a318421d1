"""Nine slices of any scan with a reference, on made-up heads."""

import json

import numpy as np
import pytest
from brief_training import training_with
from conftest import a_head

from DiffusionSegLib import session
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark.own_scans import nine_slices_of
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.writing import write_volume

SHAPE = (30, 28, 26)


@pytest.fixture
def scan(tmp_path):
    """A head in two channels, and its reference, in which a third structure lies apart from all painted slices."""
    image, labels = a_head(SHAPE)
    labels[0, 0, 0] = 9
    grid = Grid(SHAPE, np.eye(4))
    write_volume(tmp_path / "t1.nii.gz", image, grid)
    write_volume(tmp_path / "t2.nii.gz", 900 - image * (image > 0), grid)
    write_volume(tmp_path / "reference.nii.gz", labels.astype(np.uint8), grid)
    return tmp_path


@pytest.fixture
def measure(tiny_bundle, monkeypatch, capsys):
    monkeypatch.setattr(session, "train_ensemble", training_with(steps=200, check_every=200))

    def measured(*arguments):
        options = ["--bundle", str(tiny_bundle.folder), "--device", "cpu", "--apart", "4", *map(str, arguments)]
        code = main(["benchmark", "own-scans", *options])
        return code, capsys.readouterr()

    return measured


def test_each_method_finds_the_rest_of_every_scan(measure, scan):
    report, reference = scan / "scores.json", scan / "reference.nii.gz"
    one, two = [scan / "t1.nii.gz", reference], [scan / "t2.nii.gz", reference]
    code, printed = measure("--scan", *one, "--scan", *two, "--json", report)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.out.splitlines() if line]
    assert [row[:2] for row in rows[2:4]] == [["ours", "2"], ["forest", "2"]]
    assert [row[0] for row in rows[6:]] == ["3", "7"]
    assert "no painted slice shows 9" in printed.err
    found = json.loads(report.read_text())
    assert [len(found[method]) for method in ("ours", "forest")] == [2, 2]
    assert all(scores["mean"]["dice"] > 0.8 for scores in found["ours"])


def test_several_volumes_are_the_channels_of_a_scan(measure, scan):
    files = [scan / "t1.nii.gz", scan / "t2.nii.gz", scan / "reference.nii.gz"]
    code, printed = measure("--scan", *files, "--methods", "ours")
    assert code == 0
    assert "| ours | 1 |" in printed.out
    assert "forest" not in printed.out


def test_a_reference_on_another_grid_is_told_of(measure, scan):
    write_volume(scan / "coarse.nii.gz", np.ones((9, 9, 9), np.uint8), Grid((9, 9, 9), np.eye(4)))
    code, printed = measure("--scan", scan / "t1.nii.gz", scan / "coarse.nii.gz")
    assert code == 2
    assert "coarse.nii.gz lies on another grid" in printed.err


def test_an_empty_reference_is_told_of(measure, scan):
    write_volume(scan / "empty.nii.gz", np.zeros(SHAPE, np.uint8), Grid(SHAPE, np.eye(4)))
    code, printed = measure("--scan", scan / "t1.nii.gz", scan / "empty.nii.gz")
    assert code == 2
    assert "The reference is empty" in printed.err


def test_slices_are_as_many_millimetres_apart_along_every_axis():
    reference = np.ones((40, 40, 9), np.uint8)
    found = nine_slices_of(reference, Grid(reference.shape, np.diag([1.0, 0.5, 5.0, 1.0])), 10.0)
    assert found.complete_slices == ((10, 20, 30), (0, 20), (2, 4, 6))
