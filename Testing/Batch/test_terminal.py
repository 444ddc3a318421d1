"""The batch script in a terminal: Slicer's Python and `Slicer --python-script` run it the same way."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
from Batch.conftest import BATCH, SHAPE
from conftest import a_head

from DiffusionSegLib import scan_memory
from DiffusionSegLib.reading import read_labelmap

SCRIPT = BATCH / "DiffusionSegBatch.py"
main = runpy.run_path(str(SCRIPT))["main"]


def run(*arguments, cwd=None):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="session")
def options(segmenter, tiny_bundle):
    return ["--segmenter", segmenter, "--bundle", tiny_bundle.folder, "--device", "cpu"]


def test_a_folder_is_segmented_though_one_scan_is_damaged(options, scans, tmp_path):
    done = run(*options, "--inputFolder", scans, "--outputFolder", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "damaged.nii.gz cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "first.seg.nrrd",
        "first_uncertainty.nrrd",
        "second.seg.nrrd",
        "second_uncertainty.nrrd",
    }
    found, grid = read_labelmap(tmp_path / "out" / "first.seg.nrrd")
    assert grid.shape == SHAPE
    assert np.mean(found == a_head(SHAPE)[1]) > 0.9


def test_slicer_is_told_how_far_it_is(options, scans, tmp_path):
    (scans / "damaged.nii.gz").unlink()
    done = run(*options, "--inputFolder", scans, "--outputFolder", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    shares = [float(found) for found in re.findall("<filter-progress>(.*)</filter-progress>", done.stdout)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(0 < share < 0.5 for share in shares)
    assert any(0.5 < share < 1 for share in shares)
    assert done.stdout.index("<filter-start>") < done.stdout.index("<filter-progress>")


def test_what_is_done_is_skipped_after_an_interruption(options, scans, tmp_path):
    (scans / "damaged.nii.gz").unlink()
    folders = ["--inputFolder", scans, "--outputFolder", scans]
    (scans / "first.seg.nrrd").write_text("done before")
    done = run(*options, *folders, "--skipDone")
    assert done.returncode == 0, done.stderr
    assert (scans / "first.seg.nrrd").read_text() == "done before"
    assert (scans / "second.seg.nrrd").exists()
    again = run(*options, *folders, "--skipDone")
    assert again.returncode == 0, again.stderr
    assert "Written" not in again.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There is no scan to segment"),
        (["--inputFolder", "nowhere", "--outputFolder", "out"], "There is no folder nowhere"),
        (["scan.nii.gz"], "There is no folder for the results"),
        (["--inputVolume", "scan.nii.gz"], "There is no place for the result"),
        (["missing.nii.gz", "--outputFolder", "out"], "There is no file missing.nii.gz"),
    ],
)
def test_what_is_missing_is_told_in_a_sentence(options, arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*map(str, options), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_segmenter_is_told(scans, tmp_path, capsys):
    arguments = ["--segmenter", scans / "notes.txt", "--inputFolder", scans, "--outputFolder", tmp_path / "out"]
    assert main([*map(str, arguments)]) == 2
    assert "notes.txt" in capsys.readouterr().err


def test_help_does_not_wait_for_torch():
    done = run("--help")
    assert done.returncode == 0
    assert "--inputFolder" in done.stdout


def test_a_scan_that_needs_more_memory_than_there_is_is_told_of_on_one_line(
    options, scans, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(scan_memory, "available_memory", lambda: 10_000_000)
    arguments = [*options, scans / "first.nii.gz", "--outputFolder", tmp_path / "out"]
    assert main([str(argument) for argument in arguments]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "It needs" in line]
    assert len(told) == 1
    assert told[0].startswith("diffusionseg: It needs")
