from __future__ import annotations

import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from DiffusionSegLib import scan_memory
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.session import Session

WRITTEN = {"segmentation.nii.gz", "segmentation.seg.nrrd", "uncertainty.nii.gz", "report.json", "overlay.png"}


@pytest.fixture(scope="module")
def result(case, tmp_path_factory):
    out = tmp_path_factory.mktemp("result") / "out"
    arguments = ["segment", case / "scan.nii.gz", "--labels", case / "painted.nii.gz", "--out", out]
    arguments += ["--bundle", case / "tiny", "--device", "cpu", "--segmenter-out", out.parent / "two.safetensors"]
    assert main([str(argument) for argument in arguments]) == 0
    return out


def test_segment_writes_five_files_and_nothing_else(result):
    assert {path.name for path in result.iterdir()} == WRITTEN


def test_segment_keeps_the_scans_geometry(case, result):
    scan = nib.load(case / "scan.nii.gz")
    for name in ("segmentation.nii.gz", "uncertainty.nii.gz"):
        found = nib.load(result / name)
        assert found.shape == scan.shape
        assert np.array_equal(found.affine, scan.affine)


def test_results_are_of_the_scans_space(case, result, tmp_path):
    scan = nib.load(case / "scan.nii.gz")
    scan.header["qform_code"] = scan.header["sform_code"] = 4
    nib.save(scan, tmp_path / "in_mni.nii.gz")
    arguments = ["apply", result.parent / "two.safetensors", tmp_path / "in_mni.nii.gz", "--out", tmp_path / "out"]
    assert main([str(argument) for argument in [*arguments, "--bundle", case / "tiny", "--device", "cpu"]]) == 0
    arguments = ["segment", tmp_path / "in_mni.nii.gz", "--labels", case / "painted.nii.gz", "--out", tmp_path / "out"]
    assert main([str(argument) for argument in [*arguments, "--bundle", case / "tiny", "--device", "cpu"]]) == 0
    found = list((tmp_path / "out").glob("*.nii.gz"))
    assert len(found) == 4
    for path in found:
        assert nib.load(path).header["qform_code"] == nib.load(path).header["sform_code"] == 4


def test_segment_finds_the_structures_where_nothing_was_painted(case, result):
    found, true = (
        np.asarray(nib.load(path).dataobj) for path in (result / "segmentation.nii.gz", case / "reference.nii.gz")
    )
    for value in (1, 2):
        assert 2 * np.sum((found == value) & (true == value)) / (np.sum(found == value) + np.sum(true == value)) > 0.8


def test_the_report_tells_seconds_and_memory_of_each_stage(result):
    report = json.loads((result / "report.json").read_text())
    assert report["device"] == "cpu"
    assert report["voxels_trained"] > 0
    assert {"features", "training", "prediction"} <= set(report["stages"])
    assert all(stage["peak_memory_mb"] > 0 for stage in report["stages"].values())


def test_apply_goes_on_after_a_bad_scan_and_says_so(case, result, tmp_path, capsys):
    shutil.copy(case / "scan.nii.gz", tmp_path / "good.nii.gz")
    (tmp_path / "bad.nii.gz").write_bytes(b"nothing")
    out = tmp_path / "out"
    arguments = ["apply", result.parent / "two.safetensors", tmp_path / "bad.nii.gz", tmp_path / "good.nii.gz"]
    arguments += ["--out", out, "--bundle", case / "tiny", "--device", "cpu"]
    assert main([str(argument) for argument in arguments]) == 2
    assert {path.name for path in out.iterdir()} == {"good_segmentation.nii.gz", "good_uncertainty.nii.gz"}
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("diffusionseg: ")]
    assert len(told) == 1
    assert told[0].startswith(f"diffusionseg: {tmp_path / 'bad.nii.gz'}: ")


def test_suggest_names_slices_of_the_scan(case, result, capsys):
    arguments = ["suggest", result.parent / "two.safetensors", case / "scan.nii.gz", "--bundle", case / "tiny"]
    assert main([str(argument) for argument in [*arguments, "--count", 3, "--json", "--device", "cpu"]]) == 0
    for suggestion in json.loads(capsys.readouterr().out):
        assert 0 <= suggestion["index"] < dict(zip("ijk", (32, 30, 20), strict=True))[suggestion["axis"]]


def test_a_scan_scores_fully_against_itself(case, capsys):
    pytest.importorskip("monai")
    assert main(["evaluate", str(case / "reference.nii.gz"), str(case / "reference.nii.gz"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean"] == {"dice": 1.0, "hd95_mm": 0.0}


def test_labels_that_the_reference_lacks_are_named_and_not_counted(case, tmp_path, capsys):
    pytest.importorskip("monai")
    reference = nib.load(case / "reference.nii.gz")
    more = np.asarray(reference.dataobj).copy()
    more[more == 0] = 7
    nib.save(nib.Nifti1Image(more, reference.affine), tmp_path / "more.nii.gz")
    files = [str(tmp_path / "more.nii.gz"), str(case / "reference.nii.gz")]
    assert main(["evaluate", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["not_in_reference"] == [7]
    assert main(["evaluate", *files]) == 0
    assert "Not in the reference, and not counted: label 7" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["scan.nii.gz", "Scan.nii.gz"])
def test_scans_whose_results_would_replace_each_other_are_refused(case, result, tmp_path, capsys, name):
    scans = [tmp_path / "one" / "scan.nii.gz", tmp_path / "other" / name]
    for scan in scans:
        scan.parent.mkdir()
        shutil.copy(case / "scan.nii.gz", scan)
    arguments = ["apply", result.parent / "two.safetensors", *scans, "--out", tmp_path / "out"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "Two scans are called scan" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_scan_that_does_not_fit_into_memory_does_not_cost_the_next_one(case, result, tmp_path, capsys, monkeypatch):
    scans = [tmp_path / "large.nii.gz", case / "scan.nii.gz"]
    shutil.copy(scans[1], scans[0])
    predict = Session.predict

    def short_for_the_first(session, segmenter):
        if session._volume.stem == "large":
            raise MemoryError
        return predict(session, segmenter)

    monkeypatch.setattr(Session, "predict", short_for_the_first)
    arguments = ["apply", result.parent / "two.safetensors", *scans, "--out", tmp_path / "out"]
    assert main([str(argument) for argument in [*arguments, "--bundle", case / "tiny", "--device", "cpu"]]) == 2
    assert "memory does not suffice" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "scan_segmentation.nii.gz",
        "scan_uncertainty.nii.gz",
    ]


def segmented(case, out, *more) -> int:
    arguments = ["segment", case / "scan.nii.gz", "--labels", case / "painted.nii.gz", "--out", out, *more]
    return main([str(argument) for argument in [*arguments, "--bundle", case / "tiny", "--device", "cpu"]])


def test_members_that_vote_do_so_also_on_other_scans(case, tmp_path):
    scan = nib.load(case / "scan.nii.gz")
    image = scan.get_fdata()
    noise = np.random.default_rng(0).normal(0, 0.3 * image.max(), image.shape)
    # On a clear scan voters and their mean agree everywhere once probabilities are smoothed.
    nib.save(nib.Nifti1Image(np.where(image > 0, image + noise, 0).clip(0), scan.affine), tmp_path / "noisy.nii.gz")
    for combine in ("vote", "mean"):
        out, segmenter = tmp_path / combine, tmp_path / f"{combine}.safetensors"
        assert segmented(case, out, "--combine", combine, "--segmenter-out", segmenter) == 0
        assert Segmenter.load(segmenter).header.combine == combine
        arguments = ["apply", segmenter, tmp_path / "noisy.nii.gz", "--out", out, "--bundle", case / "tiny"]
        assert main([str(argument) for argument in [*arguments, "--device", "cpu"]]) == 0
    voting, mean = (tmp_path / combine / "noisy_segmentation.nii.gz" for combine in ("vote", "mean"))
    assert 0.8 < (voxels(voting) == voxels(mean)).mean() < 0.999
    voting, mean = (tmp_path / combine / "uncertainty.nii.gz" for combine in ("vote", "mean"))
    assert np.array_equal(voxels(voting), voxels(mean))


def voxels(path):
    return np.asarray(nib.load(path).dataobj)


@pytest.mark.parametrize("available", [10_000_000, None, 10**12])
def test_segment_warns_of_a_scan_that_needs_more_memory_than_there_is(case, tmp_path, capsys, monkeypatch, available):
    monkeypatch.setattr(scan_memory, "available_memory", lambda: available)
    assert segmented(case, tmp_path / "out") == 0
    warned = warned_of_memory(capsys)
    assert len(warned) == (available == 10_000_000)
    assert all("crop the volume" in line for line in warned)


def test_apply_warns_once_of_scans_of_the_same_size_that_need_more_memory_than_there_is(
    case, result, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(scan_memory, "available_memory", lambda: 10_000_000)
    scan = nib.load(case / "scan.nii.gz")
    scans = [case / "scan.nii.gz", tmp_path / "alike.nii.gz", tmp_path / "coarse.nii.gz"]
    shutil.copy(scans[0], scans[1])
    nib.save(nib.Nifti1Image(np.asarray(scan.dataobj), scan.affine @ np.diag([1.5, 1, 1, 1])), scans[2])
    arguments = ["apply", result.parent / "two.safetensors", *scans, "--out", tmp_path / "out"]
    arguments += ["--bundle", case / "tiny", "--device", "cpu"]
    assert main([str(argument) for argument in arguments]) == 0
    # The coarse one has as many voxels, but more on the denoiser's grid.
    first, second = warned_of_memory(capsys)
    assert first.startswith(f"diffusionseg: {scans[0]}: It needs")
    assert second.startswith(f"diffusionseg: {scans[2]}: It needs")


def warned_of_memory(capsys) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if ": It needs" in line]


def test_a_label_that_is_not_there_to_keep_the_largest_piece_of_is_told_of(case, tmp_path, capsys):
    assert segmented(case, tmp_path / "out", "--keep-largest", 2, 99) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "largest piece" in line]
    assert len(told) == 1
    assert told[0].startswith("diffusionseg: The label 99,")
