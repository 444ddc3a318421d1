import warnings

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from conftest import an_affine, an_oblique_rotation

from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.reading import read_volume
from DiffusionSegLib.writing import LPS_FROM_RAS, write_volume

SPACING = (0.9, 1.0, 1.2)
AFFINE = an_affine(an_oblique_rotation(), SPACING)


def write_nifti(path, *, qform=1, sform=1, unit="mm"):
    image = nib.Nifti1Image(np.random.default_rng(0).random((5, 6, 7)).astype(np.float32), AFFINE)
    image.set_qform(AFFINE, code=qform)
    image.set_sform(AFFINE, code=sform)
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return path


def affine_in_itk(path):
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return LPS_FROM_RAS @ affine


@pytest.mark.parametrize("unit", ["meter", "mm", "micron", "unknown"])
@pytest.mark.parametrize(("qform", "sform"), [(1, 1), (1, 0), (0, 1)])
def test_voxels_lie_where_itk_puts_them_whatever_the_unit(tmp_path, unit, qform, sform):
    path = write_nifti(tmp_path / "scan.nii", qform=qform, sform=sform, unit=unit)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DiffusionSegWarning)
        affine = read_volume(path).grid.affine
    np.testing.assert_allclose(affine, affine_in_itk(path), rtol=1e-4, atol=1e-5)


def test_microns_and_metres_become_millimetres(tmp_path):
    for unit, factor in (("micron", 1e-3), ("meter", 1e3)):
        spacing = read_volume(write_nifti(tmp_path / f"{unit}.nii", unit=unit)).grid.spacing
        np.testing.assert_allclose(spacing, np.multiply(SPACING, factor), rtol=1e-5)


@pytest.mark.parametrize("unit", ["mm", "micron"])
def test_voxels_of_which_only_distances_are_known_lie_where_itk_puts_them_with_a_warning(tmp_path, unit):
    path = write_nifti(tmp_path / "scan.nii", qform=0, sform=0, unit=unit)
    with pytest.warns(DiffusionSegWarning, match=r"scan\.nii does not say how its voxels lie in the patient"):
        volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.affine, affine_in_itk(path), rtol=1e-5)
    write_volume(tmp_path / "result.nii.gz", volume.data[0], volume.grid)
    np.testing.assert_allclose(affine_in_itk(tmp_path / "result.nii.gz"), affine_in_itk(path), rtol=1e-5)


def written_again(path):
    """What is written on the grid of a file."""
    volume = read_volume(path)
    result = path.with_name("result.nii.gz")
    write_volume(result, volume.data[0], volume.grid)
    return result


def codes_of(path):
    header = nib.load(path).header
    return int(header["qform_code"]), int(header["sform_code"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((1, 1), (1, 1)),
        ((4, 4), (4, 4)),
        ((2, 2), (2, 2)),
        ((1, 4), (1, 4)),
        # A program that trusts the other form must find the voxels, too.
        ((0, 4), (4, 4)),
        ((3, 0), (3, 3)),
        ((0, 0), (1, 1)),
    ],
)
@pytest.mark.filterwarnings("ignore::DiffusionSegLib.errors.DiffusionSegWarning")
def test_results_say_of_which_space_they_are_as_the_scan_does(tmp_path, given, kept):
    scan = write_nifti(tmp_path / "scan.nii", qform=given[0], sform=given[1])
    result = written_again(scan)
    assert codes_of(result) == kept
    for affine in (nib.load(result).affine, nib.load(result).get_qform(), affine_in_itk(result)):
        np.testing.assert_allclose(affine, read_volume(scan).grid.affine, rtol=1e-5, atol=1e-5)


def test_where_the_two_forms_differ_results_are_of_the_space_that_their_voxels_lie_in(tmp_path):
    moved = AFFINE.copy()
    moved[:3, 3] += 20
    image = nib.Nifti1Image(np.random.default_rng(0).random((5, 6, 7)).astype(np.float32), None)
    image.set_qform(moved, code=1)
    image.set_sform(AFFINE, code=4)
    nib.save(image, tmp_path / "scan.nii")
    result = written_again(tmp_path / "scan.nii")
    assert codes_of(result) == (4, 4)
    np.testing.assert_allclose(nib.load(result).get_qform(), AFFINE, rtol=1e-5, atol=1e-5)


def test_a_form_that_is_damaged_beside_a_good_one_is_of_no_account(tmp_path):
    path = write_nifti(tmp_path / "scan.nii", qform=1, sform=4)
    content = bytearray(path.read_bytes())
    # The header's field quatern_b, of which no rotation can be as large.
    content[256:260] = np.float32(3).tobytes()
    path.write_bytes(content)
    assert codes_of(written_again(path)) == (4, 4)


@pytest.mark.parametrize("unit", ["meter", "mm", "micron", "unknown"])
def test_results_say_that_they_are_in_millimetres(tmp_path, unit):
    result = written_again(write_nifti(tmp_path / "scan.nii", unit=unit))
    assert nib.load(result).header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(affine_in_itk(result), affine_in_itk(tmp_path / "scan.nii"), rtol=1e-4, atol=1e-5)


def test_what_was_no_nifti_file_is_of_the_scanners_space(tmp_path):
    write_volume(tmp_path / "scan.nrrd", np.random.default_rng(0).random((5, 6, 7)), Grid((5, 6, 7), AFFINE))
    assert codes_of(written_again(tmp_path / "scan.nrrd")) == (1, 1)


def test_a_unit_that_nobody_knows_counts_as_millimetres(tmp_path):
    path = write_nifti(tmp_path / "scan.nii")
    content = bytearray(path.read_bytes())
    # The header's field xyzt_units.
    content[123] = 0b111
    path.write_bytes(content)
    np.testing.assert_allclose(read_volume(path).grid.affine, AFFINE, rtol=1e-5)
    np.testing.assert_allclose(affine_in_itk(path), AFFINE, rtol=1e-4, atol=1e-5)
