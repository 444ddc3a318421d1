from __future__ import annotations

import errno
import io
import json
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.overlay import write_overlay
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.session import Session
from DiffusionSegLib.writing import write_segmentation, write_volume


def _nifti(path, array, affine=None):
    nib.save(nib.Nifti1Image(array, np.diag([-1.0, 1.0, 1.5, 1.0]) if affine is None else affine), path)


def _scan(folder):
    return np.asarray(nib.load(folder / "scan.nii.gz").dataobj).copy()


def _missing(folder):
    (folder / "scan.nii.gz").unlink()


def _truncated(folder):
    path = folder / "scan.nii.gz"
    path.write_bytes(path.read_bytes()[:2000])


def _series(folder):
    _nifti(folder / "scan.nii.gz", np.repeat(_scan(folder)[..., None], 3, axis=3))


def _constant(folder):
    _nifti(folder / "scan.nii.gz", np.full((32, 30, 20), 7, np.float32))


def _nothing_but_air(folder):
    _nifti(folder / "scan.nii.gz", -1 - _scan(folder).astype(np.float32))


COLOURS = np.zeros((32, 30, 20), np.dtype([(channel, np.uint8) for channel in "RGB"]))


def _colours(folder):
    _nifti(folder / "scan.nii.gz", COLOURS)


def _painted_in_colours(folder):
    _nifti(folder / "painted.nii.gz", COLOURS)


def _not_a_number(folder):
    scan = _scan(folder)
    scan[3, 3, 3] = np.nan
    _nifti(folder / "scan.nii.gz", scan)


def _other_grid(folder):
    _nifti(folder / "painted.nii.gz", np.asarray(nib.load(folder / "painted.nii.gz").dataobj), np.eye(4))


def _one_class(folder):
    (folder / "painted.json").unlink()
    painted = np.asarray(nib.load(folder / "painted.nii.gz").dataobj)
    _nifti(folder / "painted.nii.gz", (painted == 1).astype(np.uint8))


def _empty(folder):
    _nifti(folder / "painted.nii.gz", np.zeros((32, 30, 20), np.uint8))


def _say(folder, **changes):
    path = folder / "painted.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _slice_out_of_range(folder):
    _say(folder, complete_slices={"i": [32]})


def _inverted_box(folder):
    _say(folder, background_box=[[20, 10], [2, 28], [1, 19]])


def _damaged_json(folder):
    (folder / "painted.json").write_text("{")


def _other_weights(folder):
    path = folder / "tiny" / "config.json"
    config = json.loads(path.read_text())
    config["unet"]["base_channels"] = 16
    path.write_text(json.dumps(config))


def _channels_of_different_grids(folder):
    _nifti(folder / "second.nii.gz", _scan(folder)[:-1])


BAD = {
    _missing: "no file",
    _truncated: "scan.nii.gz cannot be read",
    _series: "4D series",
    _constant: "same value in all voxels",
    _nothing_but_air: "nothing but air",
    _colours: "several values a voxel",
    _painted_in_colours: "several values a voxel",
    _not_a_number: "NaN",
    _other_grid: "another grid",
    _one_class: "one class only",
    _empty: "label map is empty",
    _slice_out_of_range: "slice i = 32 lies outside",
    _inverted_box: "from 20 to 10 along i",
    _damaged_json: "painted.json does not describe",
    _other_weights: "do not match its config.json",
    _channels_of_different_grids: "channels scan and second lie on different grids",
}


def _segment(folder, out, *more):
    second = [folder / "second.nii.gz"] if (folder / "second.nii.gz").exists() else []
    arguments = ["segment", folder / "scan.nii.gz", *second, "--labels", folder / "painted.nii.gz", "--out", out]
    return main([str(argument) for argument in [*arguments, "--bundle", folder / "tiny", "--device", "cpu", *more]])


@pytest.fixture
def folder(case, tmp_path):
    return Path(shutil.copytree(case, tmp_path / "case"))


def _told(capsys):
    lines = [line for line in capsys.readouterr().err.splitlines() if "diffusionseg" in line or "Traceback" in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("diffusionseg: ")
    return lines[0]


@pytest.mark.parametrize(("spoil", "words"), [pytest.param(*bad, id=bad[0].__name__.strip("_")) for bad in BAD.items()])
def test_bad_input_is_told_in_one_line_and_leaves_nothing_behind(folder, capsys, spoil, words):
    spoil(folder)
    assert _segment(folder, folder / "out") == 2
    assert words in _told(capsys)
    assert not (folder / "out").exists() or not list((folder / "out").iterdir())


def test_a_segmenter_of_another_bundle_is_refused(folder, capsys):
    assert _segment(folder, folder / "out", "--segmenter-out", folder / "two.safetensors") == 0
    capsys.readouterr()
    # A conftest cannot be imported by name here, so the other bundle is the first with one weight changed.
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "tiny" / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, folder / "tiny" / "model.safetensors")
    arguments = ["apply", folder / "two.safetensors", folder / "scan.nii.gz", "--out", folder / "more"]
    arguments += ["--bundle", folder / "tiny", "--device", "cpu"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "bundle" in _told(capsys)
    assert not (folder / "more").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_a_cuda_device_that_is_not_there_is_told(folder, capsys):
    assert _segment(folder, folder / "out", "--device", "cuda") == 2
    assert "GPU" in _told(capsys)


@pytest.fixture
def no_training(monkeypatch):
    """Training that would be in vain must not begin."""
    monkeypatch.setattr(Session, "train", lambda *_: pytest.fail("trained before the results' place was looked at"))


def test_results_that_cannot_be_written_are_told_before_the_work(folder, no_training, capsys):
    (folder / "file").write_text("no folder")
    assert _segment(folder, folder / "file") == 2
    assert "cannot be written to" in _told(capsys)


def test_a_folder_in_place_of_the_segmenters_file_is_told_before_the_work(folder, no_training, capsys):
    (folder / "kept").mkdir()
    assert _segment(folder, folder / "out", "--segmenter-out", folder / "kept") == 2
    assert "is a folder" in _told(capsys)
    assert not (folder / "out").exists()


def test_a_name_that_the_terminal_has_no_characters_for_costs_nothing(folder, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict")
    monkeypatch.setattr("sys.stdout", terminal)
    assert _segment(folder, folder / "Zażółć") == 0
    terminal.flush()
    assert b"Za\\u017c" in terminal.buffer.getvalue()


@pytest.mark.parametrize("option", [["--steps", "0"], ["--spacing", "-1"], ["--batch", "many"], ["--spacing", "nan"]])
def test_a_pretraining_of_impossible_numbers_is_refused(option, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["pretrain", "scans", "--out", "bundle", *option])
    assert f"argument {option[0]}" in capsys.readouterr().err


def test_what_the_operating_system_refuses_unexpectedly_is_told_in_one_line(folder, monkeypatch, capsys):
    def refused(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "scan.nii.gz")

    monkeypatch.setattr(Session, "train", refused)
    assert _segment(folder, folder / "out") == 2
    assert "scan.nii.gz cannot be used: input/output error." in _told(capsys)


def test_a_name_that_is_too_long_is_told_in_one_line(folder, capsys):
    long = folder / f"{'x' * 300}.nii.gz"
    assert main(["segment", str(long), "--labels", str(folder / "painted.nii.gz"), "--out", str(folder / "out")]) == 2
    assert "There is no file" in _told(capsys)
    assert _segment(folder, folder / ("x" * 300)) == 2
    assert "cannot be written to" in _told(capsys)


def test_too_little_memory_is_told_in_one_line(folder, monkeypatch, capsys):
    monkeypatch.setattr(Session, "train", lambda *_, **__: np.empty(2**50))
    assert _segment(folder, folder / "out") == 2
    assert "memory does not suffice" in _told(capsys)


def test_a_full_disk_is_told_and_leaves_nothing_behind(folder, full_disk, capsys):
    assert _segment(folder, full_disk / "out" / "nested") == 2
    assert f"space left on the disk of {full_disk / 'out' / 'nested'}." in _told(capsys)
    assert not list(full_disk.iterdir())


def _write_nifti(path, noise, grid):
    write_volume(path.with_suffix(".nii.gz"), noise, grid)


def _write_segmentation(path, noise, grid):
    write_segmentation(path.with_suffix(".seg.nrrd"), noise, grid, ())


def _write_picture(path, noise, grid):
    prediction = Prediction(noise, noise.astype(np.float32), noise.astype(np.uint8), grid, ())
    write_overlay(path.with_suffix(".png"), noise.astype(np.float32), prediction, ((), (), ()))


@pytest.mark.parametrize("write", [_write_nifti, _write_segmentation, _write_picture], ids=lambda write: write.__name__)
def test_every_writer_tells_of_a_full_disk(full_disk, write):
    grid = Grid((64, 64, 64), np.eye(4))
    noise = np.random.default_rng(0).integers(1, 60000, grid.shape).astype(np.uint16)
    with pytest.raises(DiffusionSegError, match="space"):
        write(full_disk / "file", noise, grid)
    assert not list(full_disk.iterdir())


def test_weights_on_a_full_disk_are_told_too(case, full_disk):
    config = ModelBundle.load(case / "tiny").config
    with pytest.raises(DiffusionSegError, match="space"):
        write_bundle(full_disk, config, {"weights": torch.rand(100_000)}, "")
    assert not list(full_disk.iterdir())
