"""The batch script in a terminal: Slicer's Python and `Slicer --python-script` run it the same way."""

from __future__ import annotations

import errno
import os
import re
import runpy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from Batch.conftest import BATCH, SHAPE
from conftest import a_head

from DiffusionSegLib import scan_memory
from DiffusionSegLib.batch import Batch
from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.features.feature_count import feature_count
from DiffusionSegLib.reading import read_labelmap
from DiffusionSegLib.segmenter.segmenter import Segmenter

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


def test_a_folder_that_cannot_hold_the_results_is_told_before_the_first_scan(options, scans, tmp_path):
    (tmp_path / "out").write_text("no folder")
    done = run(*options, "--inputFolder", scans, "--outputFolder", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "cannot be written to" in done.stderr
    assert "filter-progress" not in done.stdout


def test_a_name_that_the_terminal_has_no_characters_for_costs_no_scan(options, scans, tmp_path, monkeypatch):
    (scans / "damaged.nii.gz").unlink()
    (scans / "first.nii.gz").rename(scans / "Zażółć.nii.gz")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run(*options, "--inputFolder", scans, "--outputFolder", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "Za\\u017c" in done.stdout


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


@pytest.mark.parametrize("places", [["--outputFolder", "."], ["--outputLabelmap", "first.seg.nrrd"]])
def test_a_scan_is_not_replaced_by_its_own_result(options, scans, places, monkeypatch, capsys):
    monkeypatch.chdir(scans)
    (scans / "first.seg.nrrd").write_text("painted")
    assert main([*map(str, options), "--inputVolume", "first.seg.nrrd", *places]) == 2
    assert "The result would replace first.seg.nrrd" in capsys.readouterr().err
    assert (scans / "first.seg.nrrd").read_text() == "painted"


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


def test_an_output_folder_within_the_input_folder_is_no_scan(options, scans):
    for name in ("damaged.nii.gz", "second.nii"):
        (scans / name).unlink()
    (scans / "results").mkdir()
    done = run(*options, "--inputFolder", scans, "--outputFolder", scans / "results")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (scans / "results").iterdir()} == {"first.seg.nrrd", "first_uncertainty.nrrd"}


@pytest.fixture
def of_two_channels(segmenter, tmp_path):
    """A segmenter of scans of two channels, and the folder of its bundle."""
    bundle = write_tiny_bundle(tmp_path / "bundle", channels=2)
    found = Segmenter.load(segmenter)
    header = replace(found.header, channels=2, bundle_digest=bundle.digest)
    features = feature_count(header.features, bundle.config.unet, header.channels)
    weights = torch.zeros(header.members, features, header.hidden[0])
    path = tmp_path / "channels.safetensors"
    Segmenter(header, found.ensemble.with_first_weights(weights)).save(path)
    return path, bundle.folder


@pytest.mark.parametrize(
    "names",
    [
        ("ann_flair", "ann_t1", "bob_t1", "cleo_flair", "cleo_t1", "dan_flair"),
        ("ann_flair", "ann_t1", "bob_t1", "bob_t2"),
        ("scan1", "scan2", "scan3", "scan4"),
    ],
)
def test_a_folder_whose_names_do_not_tell_the_channels_of_a_scan_is_refused(of_two_channels, tmp_path, capsys, names):
    segmenter, bundle = of_two_channels
    folder = tmp_path / "channels"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.nii").touch()
    arguments = ["--segmenter", segmenter, "--bundle", bundle, "--inputFolder", folder]
    assert main([*map(str, arguments), "--outputFolder", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "do not tell which of them are the 2 channels of one scan" in told
    assert "one after the other" in told


def test_channels_in_a_folder_are_found_by_names_that_begin_alike(of_two_channels, tmp_path):
    segmenter, bundle = of_two_channels
    names = ["ann_flair.nii", "ann_t1.nii", "annabel_flair.nii", "annabel_t1.nii"]
    batch = Batch(segmenter, [tmp_path / name for name in names], bundle=str(bundle), by_name=True)
    assert [[path.name for path in paths] for paths in batch.scans] == [names[:2], names[2:]]


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


def test_what_the_operating_system_refuses_is_told(options, scans, monkeypatch, capsys):
    def refused(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "first.nii.gz")

    monkeypatch.setattr(Batch, "segment", refused)
    assert main([*map(str, options), str(scans / "first.nii.gz"), "--outputFolder", str(scans / "out")]) == 2
    assert "first.nii.gz cannot be used: input/output error." in capsys.readouterr().err


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
    assert told[0].startswith("diffusionseg: first.nii.gz: It needs")
