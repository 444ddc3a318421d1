import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.diffusion.training_files import found_files, found_images, found_scans
from DiffusionSegLib.errors import DiffusionSegWarning


def test_hidden_files_are_no_images_and_a_folder_of_dicom_series_is(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "t1.nii.gz").touch()
    (tmp_path / "scans" / "._t1.nii.gz").touch()
    series = tmp_path / "dicom" / "series"
    series.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((10, 12), np.int16)), str(series / "slice.dcm"))
    assert found_files([tmp_path / "scans", tmp_path / "dicom"]) == [tmp_path / "scans" / "t1.nii.gz", series]


NO_IMAGES = ["a_dseg.nii.gz", "a_desc-brain_mask.nii.gz", "a_label.nrrd", "a_labels.mha", "A_PROBSEG.nii", "a.seg.nrrd"]


def test_files_that_are_called_label_maps_are_no_images_but_label_maps(tmp_path):
    for name in (*NO_IMAGES, "a_T1w.nii.gz", "masked.nii.gz"):
        (tmp_path / name).touch()
    with pytest.warns(DiffusionSegWarning, match=f"{len(NO_IMAGES)} of 8 files in .* are left out"):
        assert found_images([tmp_path]) == [tmp_path / "a_T1w.nii.gz", tmp_path / "masked.nii.gz"]
    assert len(found_files([tmp_path])) == len(NO_IMAGES) + 2


def test_an_image_that_is_named_is_taken_whatever_its_name(tmp_path):
    (tmp_path / "a_mask.nii.gz").touch()
    assert found_images([tmp_path / "a_mask.nii.gz"]) == [tmp_path / "a_mask.nii.gz"]


def test_files_that_are_alike_but_for_the_channel_are_one_scan(tmp_path):
    for person in ("sub-1", "sub-2"):
        (tmp_path / person).mkdir()
        for channel in ("T1w", "ce-gd_T1w", "FLAIR"):
            (tmp_path / person / f"{person}_{channel}.nii.gz").touch()
    with pytest.warns(DiffusionSegWarning, match="2 of 6 files are left out"):
        found = found_scans([tmp_path], ["FLAIR", "T1w"])
    names = [[path.name for path in scan] for scan in found]
    assert names == [[f"{person}_{channel}.nii.gz" for channel in ("FLAIR", "T1w")] for person in ("sub-1", "sub-2")]
    # The end of the longest name counts.
    assert len(found_scans([tmp_path], ["ce-gd_T1w", "T1w", "FLAIR"])) == 2


def test_without_channels_each_file_is_a_scan(tmp_path):
    for name in ("a_T1w.nii.gz", "a_FLAIR.nii.gz"):
        (tmp_path / name).touch()
    assert found_scans([tmp_path]) == [(tmp_path / "a_FLAIR.nii.gz",), (tmp_path / "a_T1w.nii.gz",)]
