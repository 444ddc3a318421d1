"""`diffusionseg segment --also`: learning from several painted scans."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.session import Session

# Voxels of the shell before this slice are the rim.
RIM = 12


def repaint(painting, change, **description):
    """Change a painting, and what is told of it."""
    image = nib.load(painting)
    painted = np.asarray(image.dataobj).copy()
    change(painted)
    nib.save(nib.Nifti1Image(painted, image.affine), painting)
    beside = painting.with_name(painting.name.replace(".nii.gz", ".json"))
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **description}))


def without_rim(painted):
    painted[:RIM] = np.where(painted[:RIM] == 1, 0, painted[:RIM])


def with_rim(painted):
    painted[:RIM] = np.where(painted[:RIM] == 1, 3, painted[:RIM])


@pytest.fixture
def folder(case, tmp_path):
    """A scan and its painting, which does not tell of the rim, and another scan, of which all is told."""
    for name in ("painted.nii.gz", "painted.json", "scan.nii.gz"):
        for scan in ("", "other_"):
            shutil.copy(case / name, tmp_path / f"{scan}{name}")
    # Within the region, what is not painted is unknown.
    repaint(tmp_path / "painted.nii.gz", without_rim, complete_slices={})
    labels = {"1": {"name": "shell"}, "2": {"name": "core"}, "3": {"name": "rim"}}
    repaint(tmp_path / "other_painted.nii.gz", with_rim, labels=labels)
    return tmp_path


def segment(case, folder, *more):
    arguments = ["segment", folder / "scan.nii.gz", "--labels", folder / "painted.nii.gz", "--out", folder / "out"]
    arguments += ["--bundle", case / "tiny", "--device", "cpu", *more]
    return main([str(argument) for argument in arguments])


def test_other_scans_of_other_channels_are_refused_before_any_work(case, folder, monkeypatch, capsys):
    monkeypatch.setattr(Session, "extract", None)
    scan = folder / "other_scan.nii.gz"
    assert segment(case, folder, "--also", scan, scan, folder / "other_painted.nii.gz") == 2
    assert "its scan has 2 channels, the scan to segment has 1." in capsys.readouterr().err


def test_only_labels_that_no_scan_shows_are_told_of_as_not_cleaned_up(case, folder, capsys):
    more = ["--also", folder / "other_scan.nii.gz", folder / "other_painted.nii.gz", "--keep-largest", "3", "9"]
    assert segment(case, folder, *more) == 0
    told = capsys.readouterr().err
    assert "The label 9, of which only the largest piece is to be kept" in told
    assert "The label 3, of which" not in told


def test_what_is_painted_in_another_scan_is_learnt_too(case, folder):
    more = ["--also", folder / "other_scan.nii.gz", folder / "other_painted.nii.gz"]
    assert segment(case, folder, *more, "--segmenter-out", folder / "both.safetensors") == 0
    assert [label.name for label in Segmenter.load(folder / "both.safetensors").labels] == ["shell", "core", "rim"]
    found, true = (
        np.asarray(nib.load(path).dataobj).astype(int)
        for path in (folder / "out" / "segmentation.nii.gz", case / "reference.nii.gz")
    )
    with_rim(true)
    assert 2 * np.sum((found == 3) & (true == 3)) / (np.sum(found == 3) + np.sum(true == 3)) > 0.8


def test_any_number_of_scans_is_learnt(case, folder):
    other = ["--also", folder / "other_scan.nii.gz", folder / "other_painted.nii.gz"]
    voxels = []
    for more in (other, other * 2):
        assert segment(case, folder, *more) == 0
        voxels.append(json.loads((folder / "out" / "report.json").read_text())["voxels_trained"])
    assert voxels[1] > 1.3 * voxels[0]


def test_a_volume_without_its_label_map_is_told_of(case, folder, capsys):
    assert segment(case, folder, "--also", folder / "other_scan.nii.gz") == 2
    assert "other_scan.nii.gz alone is no painted scan" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_which_of_the_scans_cannot_be_learnt_from_is_told(case, folder, capsys):
    repaint(folder / "other_painted.nii.gz", lambda painted: painted.fill(0))
    assert segment(case, folder, "--also", folder / "other_scan.nii.gz", folder / "other_painted.nii.gz") == 2
    assert "other_painted.nii.gz: The label map is empty." in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_the_other_painting_is_not_replaced_by_the_segmentation(case, folder, capsys):
    (folder / "out").mkdir()
    painting = shutil.copy(folder / "other_painted.nii.gz", folder / "out" / "segmentation.nii.gz")
    assert segment(case, folder, "--also", folder / "other_scan.nii.gz", painting) == 2
    assert "would replace" in capsys.readouterr().err
