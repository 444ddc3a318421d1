"""DICOM files that hold many frames: which are read, and which are told of."""

import gzip
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from conftest import a_head, an_affine, an_oblique_rotation, axis_orders
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    generate_uid,
)

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.reading import read_volume
from DiffusionSegLib.writing import LPS_FROM_RAS

SHAPE = (12, 10, 7)
AFFINES = [an_affine(order, (0.8, 1.1, 2.5)) for order in axis_orders()]
AFFINES.append(an_affine(an_oblique_rotation(), (0.8, 1.1, 2.5)))


def group(**attributes):
    """A sequence of one data set."""
    item = Dataset()
    for name, value in attributes.items():
        setattr(item, name, value)
    return [item]


def scanned(affine=AFFINES[0]):
    """An image (I, J, K), and the places of its slices along the last axis, all in LPS."""
    image = a_head(SHAPE)[0].astype(np.uint16)
    lps = LPS_FROM_RAS @ affine
    return image, [lps[:3, 3] + number * lps[:3, 2] for number in range(SHAPE[2])], lps


def write_frames(folder, image, places, lps, *, order=None, orientations=None, slopes=None):
    """An enhanced MR file with a frame for each slice, in any order."""
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    directions = lps[:3, :3] / spacing
    order = range(len(places)) if order is None else order
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID = EnhancedMRImageStorage
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID = generate_uid()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SeriesInstanceUID, found.Modality = generate_uid(), "MR"
    found.Columns, found.Rows, found.NumberOfFrames = *image.shape[:2], len(places)
    found.SamplesPerPixel, found.PhotometricInterpretation, found.PixelRepresentation = 1, "MONOCHROME2", 0
    found.BitsAllocated, found.BitsStored, found.HighBit = 16, 16, 15
    found.SharedFunctionalGroupsSequence = group(
        PixelMeasuresSequence=group(PixelSpacing=[f"{spacing[1]:.6f}", f"{spacing[0]:.6f}"], SliceThickness=1.0)
    )
    frames = []
    for number in order:
        along = directions[:, :2].T.ravel() if orientations is None else orientations[number]
        frame = group(
            PlanePositionSequence=group(ImagePositionPatient=[f"{part:.6f}" for part in places[number]]),
            PlaneOrientationSequence=group(ImageOrientationPatient=[f"{part:.9f}" for part in along]),
        )
        if slopes is not None:
            frame[0].PixelValueTransformationSequence = group(RescaleSlope=slopes[number], RescaleIntercept=-5)
        frames += frame
    found.PerFrameFunctionalGroupsSequence = frames
    found.PixelData = np.stack([image[:, :, number].T for number in order]).tobytes()
    found.save_as(folder / "frames.dcm", enforce_file_format=True)
    return folder / "frames.dcm"


def in_world(volume, affine):
    """The volume's values and where these should be, at all voxels of an image on that affine."""
    voxels = np.indices(SHAPE).reshape(3, -1)
    places = affine[:3, :3] @ voxels + affine[:3, 3:]
    there = np.linalg.inv(volume.grid.affine) @ np.vstack([places, np.ones(places.shape[1])])
    nearest = np.round(there[:3]).astype(int)
    np.testing.assert_allclose(there[:3], nearest, atol=1e-3)
    return volume.data[0][tuple(nearest)].reshape(SHAPE)


@pytest.mark.parametrize("affine", AFFINES)
def test_frames_in_any_order_are_read_where_they_lie(tmp_path, affine):
    image, places, lps = scanned(affine)
    write_frames(tmp_path, image, places, lps, order=np.random.default_rng(0).permutation(SHAPE[2]))
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(in_world(volume, affine), image)
    np.testing.assert_allclose(volume.grid.spacing, (0.8, 1.1, 2.5), atol=1e-4)


def test_a_scanners_own_file_lies_where_other_software_has_it(tmp_path):
    # Its frames were made empty for the sake of its size.
    packed = Path(nib.__file__).parent / "nicom" / "tests" / "data" / "philips_mprage.dcm.gz"
    if not packed.exists():
        pytest.skip("This nibabel comes without the DICOM files of its tests.")
    (tmp_path / "frames.dcm").write_bytes(gzip.decompress(packed.read_bytes()))
    grid, there = read_volume(tmp_path).grid, sitk.ReadImage(str(tmp_path / "frames.dcm"))
    assert grid.shape == there.GetSize() == (256, 256, 176)
    for voxel in ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 175)):
        expected = np.append(there.TransformIndexToPhysicalPoint(voxel), 1) @ LPS_FROM_RAS
        np.testing.assert_allclose(grid.affine @ [*voxel, 1], expected, atol=1e-3)


def test_each_frame_has_a_scale_of_its_own(tmp_path):
    image, places, lps = scanned()
    slopes = np.linspace(1, 2, SHAPE[2])
    write_frames(tmp_path, image, places, lps, slopes=slopes)
    np.testing.assert_allclose(in_world(read_volume(tmp_path), AFFINES[0]), image * slopes - 5, rtol=1e-5)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([0, 1, 2, 2, 3, 4, 4], r"several slices at the same place.*3D Slicer"), ([0, 1, 2, 4, 5, 6], "missing")],
)
def test_frames_that_make_no_regular_grid_are_told_of(tmp_path, numbers, words):
    image, places, lps = scanned()
    write_frames(tmp_path, image[:, :, numbers], [places[number] for number in numbers], lps)
    with pytest.raises(DiffusionSegError, match=words):
        read_volume(tmp_path)


def test_frames_in_several_directions_are_told_of(tmp_path):
    image, places, lps = scanned()
    orientations = [(1, 0, 0, 0, 1, 0)] * 4 + [(0, 1, 0, 0, 0, -1)] * 3
    write_frames(tmp_path, image, places, lps, orientations=orientations)
    with pytest.raises(DiffusionSegError, match="several directions"):
        read_volume(tmp_path)


def test_frames_that_do_not_say_where_they_lie_are_told_of(tmp_path):
    path = write_frames(tmp_path, *scanned())
    dataset = pydicom.dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence
    dataset.save_as(path)
    with pytest.raises(DiffusionSegError, match=r"does not say where they lie.*3D Slicer"):
        read_volume(tmp_path)
    # As of a screen that was filmed.
    del dataset.PerFrameFunctionalGroupsSequence, dataset.SharedFunctionalGroupsSequence
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = (
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    )
    dataset.save_as(path)
    with pytest.raises(DiffusionSegError, match=r"does not say where they lie.*3D Slicer"):
        read_volume(tmp_path)


def test_voxels_of_several_sizes_are_told_of(tmp_path):
    path = write_frames(tmp_path, *scanned())
    dataset = pydicom.dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence[3].PixelMeasuresSequence = group(PixelSpacing=[2.0, 2.0])
    dataset.save_as(path)
    with pytest.raises(DiffusionSegError, match="voxels of several sizes"):
        read_volume(tmp_path)


def test_colours_are_told_of(tmp_path):
    image, places, lps = scanned()
    path = write_frames(tmp_path, np.repeat(image, 3, axis=1), places, lps)
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.SamplesPerPixel, dataset.PlanarConfiguration = SHAPE[1], 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.save_as(path)
    with pytest.raises(DiffusionSegError, match="colour"):
        read_volume(tmp_path)


@pytest.mark.parametrize(("numbers", "fits"), [((0, 1, 2, 3, 4), True), ((0, 1, 2, 5, 6), False)])
def test_files_of_one_frame_each_are_checked_as_slices_are(tmp_path, numbers, fits):
    image, places, lps = scanned()
    for number in numbers:
        path = write_frames(tmp_path, image[:, :, [number]], [places[number]], lps)
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = "1.2.3.4"
        dataset.save_as(tmp_path / f"{number}.dcm")
        path.unlink()
    if fits:
        assert read_volume(tmp_path).grid.spacing[2] == pytest.approx(2.5)
    else:
        with pytest.raises(DiffusionSegError, match="missing"):
            read_volume(tmp_path)


def test_frames_that_itk_wrote_are_read_as_itk_reads_them(tmp_path):
    image = sitk.GetImageFromArray(np.arange(720, dtype=np.uint16).reshape(6, 10, 12))
    image.SetSpacing((0.8, 1.1, 2.5))
    image.SetOrigin((5.0, -7.0, 11.0))
    # For all frames at once, as Hounsfield units may be.
    image.SetMetaData("0028|1053", "2")
    image.SetMetaData("0028|1052", "-1024")
    sitk.WriteImage(image, str(tmp_path / "frames.dcm"))
    sitk.WriteImage(image, str(tmp_path / "same.nrrd"))
    found, expected = read_volume(tmp_path), read_volume(tmp_path / "same.nrrd")
    np.testing.assert_array_equal(
        found.data, sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "frames.dcm"))).T[None]
    )
    np.testing.assert_allclose(found.grid.affine, expected.grid.affine, atol=1e-5)


def test_pixels_that_cannot_be_decoded_are_told_of(tmp_path):
    path = write_frames(tmp_path, *scanned())
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"no picture"] * SHAPE[2])
    dataset.save_as(path)
    with pytest.raises(DiffusionSegError, match=r"damaged or compressed in a way that is unknown here.*3D Slicer"):
        read_volume(tmp_path)


def test_without_pydicom_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    write_frames(tmp_path, *scanned())
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DiffusionSegError, match=r"pydicom, which is not installed.*DiffusionSeg\[dicom\]"):
        read_volume(tmp_path)
