import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.diffusion.training_files import found_files, found_images
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
