"""Reading and writing of scans, label maps and annotations."""

import errno
import json
import math
import os

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from conftest import a_head, an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib import atomic_file
from DiffusionSegLib.annotation_files import read_annotation, write_annotation
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.reading import read_labelmap, read_volume
from DiffusionSegLib.writing import write_segmentation, write_volume

SHAPE = (5, 6, 7)
AFFINES = [an_affine(directions, (1.0, 0.8, 2.5)) for directions in axis_orders()]
AFFINES += [an_affine(an_oblique_rotation(), (0.9, 1.0, 1.2))]


@pytest.mark.parametrize("affine", AFFINES)
@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nrrd", "scan.mha", "labels.seg.nrrd"])
def test_files_keep_voxels_and_geometry(tmp_path, affine, name):
    array = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint16)
    grid = Grid(SHAPE, affine)
    if name.endswith(".seg.nrrd"):
        write_segmentation(tmp_path / name, array, grid, [Label.generic(value) for value in (1, 2, 3)])
    else:
        write_volume(tmp_path / name, array, grid)
    read, read_grid = read_labelmap(tmp_path / name)
    np.testing.assert_array_equal(read, array)
    assert read_grid.matches(grid)


def test_freesurfer_volumes_are_read(tmp_path):
    image, _ = a_head()
    nib.save(nib.MGHImage(image, an_affine(np.eye(3), (1, 1, 1))), tmp_path / "orig.mgz")
    volume = read_volume(tmp_path / "orig.mgz")
    np.testing.assert_allclose(volume.data[0], image)
    assert volume.stem == "orig"


def test_a_file_that_may_not_be_read_is_told_of(tmp_path, monkeypatch):
    write_volume(tmp_path / "scan.nii.gz", np.zeros(SHAPE, np.uint8), Grid(SHAPE, np.eye(4)))
    monkeypatch.setattr("DiffusionSegLib.reading.os.access", lambda *_: False)
    with pytest.raises(DiffusionSegError, match="may not be read"):
        read_volume(tmp_path / "scan.nii.gz")


def test_a_file_in_a_folder_that_may_not_be_entered_is_told_of(tmp_path, monkeypatch):
    def refuse(_path):
        raise PermissionError

    monkeypatch.setattr("DiffusionSegLib.reading.os.access", lambda *_: False)
    monkeypatch.setattr("pathlib.Path.exists", refuse)
    with pytest.raises(DiffusionSegError, match="no file"):
        read_volume(tmp_path / "scan.nii.gz")


def test_too_little_memory_for_a_file_is_not_told_as_damage(tmp_path, monkeypatch):
    write_volume(tmp_path / "scan.nii.gz", np.zeros(SHAPE, np.uint8), Grid(SHAPE, np.eye(4)))
    monkeypatch.setattr("DiffusionSegLib.reading.nib.load", lambda _: np.empty(2**50))
    with pytest.raises(MemoryError):
        read_volume(tmp_path / "scan.nii.gz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DiffusionSegError, match=r"no file .*nowhere\.nii"):
        read_volume(tmp_path / "nowhere.nii")


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nrrd", "scan.mha"])
def test_a_truncated_file_is_told_of(tmp_path, name):
    image, _ = a_head()
    write_volume(tmp_path / name, image, Grid(image.shape, np.eye(4)))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        read_volume(tmp_path / name)


def test_a_time_series_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4, 3), np.float32), np.eye(4)), tmp_path / "series.nii.gz")
    with pytest.raises(DiffusionSegError, match="4D series"):
        read_volume(tmp_path / "series.nii.gz")


def test_an_unknown_format_is_refused(tmp_path):
    (tmp_path / "scan.docx").write_text("no scan")
    with pytest.raises(DiffusionSegError, match="unknown format"):
        read_volume(tmp_path / "scan.docx")


def test_fractions_are_no_labels(tmp_path):
    write_volume(tmp_path / "map.nii.gz", np.full(SHAPE, 0.5, np.float32), Grid(SHAPE, np.eye(4)))
    with pytest.raises(DiffusionSegError, match="no label map"):
        read_labelmap(tmp_path / "map.nii.gz")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_or_closed_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, number):
    path = tmp_path / "scan.nii.gz"
    path.write_text("old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic_file.os, "replace", fail)
    with pytest.raises(DiffusionSegError, match="no space left" if number == errno.ENOSPC else "cannot be written"):
        write_volume(path, np.zeros(SHAPE, np.uint8), Grid(SHAPE, np.eye(4)))
    assert [found.name for found in tmp_path.iterdir()] == ["scan.nii.gz"]
    assert path.read_text() == "old"


def test_slicer_finds_names_colours_and_values_in_the_header(tmp_path):
    array = np.zeros(SHAPE, np.uint16)
    array[1:3, 2, 4] = 12
    label = Label(12, "Left putamen", (255, 0, 128), "SCT^85756007^Tissue")
    write_segmentation(tmp_path / "out.seg.nrrd", array, Grid(SHAPE, np.eye(4)), [label])
    header = sitk.ReadImage(str(tmp_path / "out.seg.nrrd"))
    assert header.GetMetaData("Segment0_Name") == "Left putamen"
    assert header.GetMetaData("Segment0_LabelValue") == "12"
    assert [float(part) for part in header.GetMetaData("Segment0_Color").split()] == pytest.approx(
        [1, 0, 128 / 255], abs=1e-5
    )
    assert header.GetMetaData("Segment0_Extent") == "1 2 2 2 4 4"
    assert "SCT^85756007^Tissue" in header.GetMetaData("Segment0_Tags")


def test_an_annotation_comes_back_as_it_was_written(tmp_path):
    painted = np.zeros(SHAPE, int)
    painted[2, 2:4, 3] = 5
    label = Label(5, "Thalamus", (9, 8, 7))
    path = tmp_path / "painting.nii.gz"
    write_annotation(
        path,
        painted,
        Grid(SHAPE, AFFINES[30]),
        complete_slices=((2,), (), (3, 4)),
        background_box=((0, 5), (1, 6), (1, 7)),
        labels=[label],
    )
    read = read_annotation(path)
    assert read.labels == (label,)
    assert read.complete_slices == ((2,), (), (3, 4))
    assert read.background_box == ((0, 5), (1, 6), (1, 7))
    assert read.classes == (0, 5)


def test_what_means_nothing_in_a_description_is_told_of(tmp_path):
    painted = np.zeros(SHAPE, np.uint8)
    painted[2, 2:4, 3], painted[3, 2:4, 3] = 5, 7
    write_volume(tmp_path / "painting.nii.gz", painted, Grid(SHAPE, np.eye(4)))
    (tmp_path / "painting.json").write_text(json.dumps({"background-box": [[0, 5], [1, 6], [1, 7]]}))
    with pytest.warns(DiffusionSegWarning, match="background-box, which means nothing"):
        read_annotation(tmp_path / "painting.nii.gz")


def a_painted_segmentation(path):
    painted = np.zeros(SHAPE, np.uint16)
    painted[2, 2:4, 3], painted[3, 2:4, 3] = 5, 7
    labels = (Label(5, "Left thalamus", (9, 8, 7), "SCT^42695009^Thalamus"), Label(7, "Right thalamus", (1, 2, 3)))
    write_segmentation(path, painted, Grid(SHAPE, np.eye(4)), labels)
    return labels


def test_a_painted_segmentation_brings_its_names_colours_and_terminology(tmp_path):
    labels = a_painted_segmentation(tmp_path / "painting.seg.nrrd")
    assert read_annotation(tmp_path / "painting.seg.nrrd").labels == labels


def test_names_in_the_json_file_come_before_those_in_a_segmentation(tmp_path):
    _, other = a_painted_segmentation(tmp_path / "painting.seg.nrrd")
    (tmp_path / "painting.json").write_text(json.dumps({"labels": {"5": {"name": "Nucleus", "color": [4, 5, 6]}}}))
    assert read_annotation(tmp_path / "painting.seg.nrrd").labels == (Label(5, "Nucleus", (4, 5, 6)), other)


def test_what_a_segmentations_header_does_not_say_is_generic(tmp_path):
    image = sitk.GetImageFromArray(np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    for number, color in enumerate(["1 0", "red", "nan 0 0"]):
        image.SetMetaData(f"Segment{number}_LabelValue", str(number + 1))
        image.SetMetaData(f"Segment{number}_Color", color)
    image.SetMetaData("Segment3_LabelValue", "four")
    sitk.WriteImage(image, str(tmp_path / "painting.seg.nrrd"))
    labels = read_annotation(tmp_path / "painting.seg.nrrd").labels
    assert labels == tuple(Label.generic(value) for value in range(1, 8))


def test_overlapping_segments_are_told_of(tmp_path):
    layers = sitk.GetImageFromArray(np.ones((4, 4, 4, 2), np.uint8), isVector=True)
    sitk.WriteImage(layers, str(tmp_path / "painting.seg.nrrd"))
    with pytest.raises(DiffusionSegError, match="overlap"):
        read_annotation(tmp_path / "painting.seg.nrrd")


@pytest.mark.parametrize(
    ("said", "color"),
    [
        ([0.5, 0.2, 1.0], (128, 51, 255)),
        ([0, 0.25, 1], (0, 64, 255)),
        ([1.0, 0.0, 1.0], (255, 0, 255)),
        ([1.0, 0, 0], (255, 0, 0)),
        ([255.0, 0.0, 12.0], (255, 0, 12)),
        ([1, 0, 1], (1, 0, 1)),
    ],
)
def test_colours_are_whole_numbers_or_fractions(tmp_path, said, color):
    a_painted_segmentation(tmp_path / "painting.seg.nrrd")
    (tmp_path / "painting.json").write_text(json.dumps({"labels": {"5": {"color": said}}}))
    assert read_annotation(tmp_path / "painting.seg.nrrd").labels[0].color == color


@pytest.mark.parametrize(
    "said",
    [
        "{not json",
        json.dumps({"complete_slices": {"i": ["two"]}}),
        json.dumps({"complete_slices": {"I": [2]}}),
        json.dumps({"background_box": [[0, 5], [1, 6]]}),
        json.dumps({"labels": {"5": {"color": [300, 0, 0]}}}),
        json.dumps({"labels": {"5": {"color": [math.inf, 0, 0]}}}),
        json.dumps({"labels": {"5": {"color": [math.nan, 0, 0]}}}),
        json.dumps({"labels": {"5": {"color": [0.5, -0.5, 0]}}}),
        json.dumps({"labels": {"5": {"color": [1.5, 0, 0]}}}),
        json.dumps({"labels": {"5": {"color": "red"}}}),
        "[" * 100_000,
        json.dumps({"labels": {"five": {"name": "Thalamus"}}}),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path, said):
    painted = np.zeros(SHAPE, np.uint8)
    painted[2, 2:4, 3] = 5
    write_volume(tmp_path / "painting.nii.gz", painted, Grid(SHAPE, np.eye(4)))
    (tmp_path / "painting.json").write_text(said)
    with pytest.raises(DiffusionSegError, match=r"painting\.json"):
        read_annotation(tmp_path / "painting.nii.gz")
