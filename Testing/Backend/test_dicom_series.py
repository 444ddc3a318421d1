"""DICOM folders: which are read, and which are told of."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import a_head

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.reading import read_volume


def write_dicom_series(folder, image, places):
    """Slices of an image along its last axis, each with its place in the patient (LPS, mm)."""
    for number, place in enumerate(places):
        plane = sitk.GetImageFromArray(image[:, :, number].T.astype(np.int16))
        plane.SetMetaData("0008|0060", "MR")
        plane.SetMetaData("0020|000e", "1.2.3.4")
        plane.SetMetaData("0020|0032", "\\".join(str(part) for part in place))
        plane.SetMetaData("0020|0037", "1\\0\\0\\0\\1\\0")
        plane.SetMetaData("0020|0013", str(number))
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{number}.dcm"))
        writer.Execute(plane)


# The third is rounded as scanners do.
@pytest.mark.parametrize("steps_mm", [2.0, -2.0, 0.70123])
def test_a_dicom_folder_is_read(tmp_path, steps_mm):
    image, _ = a_head((12, 10, 6))
    write_dicom_series(tmp_path, image, [(0, 0, round(steps_mm * number, 2)) for number in range(6)])
    volume = read_volume(tmp_path)
    assert volume.grid.shape == (12, 10, 6)
    assert volume.grid.spacing[2] == pytest.approx(abs(steps_mm), abs=0.01)
    upwards = image if steps_mm > 0 else image[:, :, ::-1]
    np.testing.assert_allclose(volume.data[0], upwards.astype(np.int16))


@pytest.mark.parametrize("path", [".", "inner/..", ".."])
def test_the_folder_that_the_person_is_in_gives_the_results_its_own_name(tmp_path, monkeypatch, path):
    here = tmp_path / "patient" / "inner" if path == ".." else tmp_path / "patient"
    here.mkdir(parents=True)
    (tmp_path / "patient" / "inner").mkdir(exist_ok=True)
    write_dicom_series(tmp_path / "patient", a_head((12, 10, 6))[0], [(0, 0, 2 * number) for number in range(6)])
    monkeypatch.chdir(here)
    assert read_volume(Path(path)).stem == "patient"


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([(0, 0, 2 * number) for number in (0, 1, 2, 4, 5, 6)], "missing"),
        ([(0, 0, 2 * (number % 3)) for number in range(6)], "several slices at the same place"),
        ([(0, 0, 4)] * 6, "several slices at the same place"),
        ([(0, 0.5 * number, 2 * number) for number in range(6)], "tilted"),
    ],
)
def test_a_dicom_series_that_makes_no_regular_grid_is_told_of(tmp_path, places, words):
    image, _ = a_head((12, 10, 6))
    write_dicom_series(tmp_path, image, places)
    with pytest.raises(DiffusionSegError, match=words):
        read_volume(tmp_path)


@pytest.fixture
def series(tmp_path):
    """A folder with ten slices."""
    write_dicom_series(tmp_path, a_head((12, 10, 10))[0], [(0, 0, 2 * number) for number in range(10)])
    return tmp_path


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("size", [0, 100, 150, 400, -200, -1])
@pytest.mark.parametrize("name", ["0.dcm", "4.dcm", "9.dcm"])
def test_a_slice_whose_file_is_incomplete_is_named(series, name, size):
    cut(series / name, size)
    with pytest.raises(DiffusionSegError, match=rf"{name} of the DICOM series .* cannot be read"):
        read_volume(series)


def test_incomplete_slices_without_a_preamble_or_an_ending_are_told_of_too(series):
    for path in series.iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[132:] if path.stem == "9" else whole)
    cut(series / "9.dcm", -100)
    (series / "8.dcm").rename(series / "8")
    cut(series / "8", -100)
    with pytest.raises(DiffusionSegError, match=r"8 and 1 more of the DICOM series .* cannot be read"):
        read_volume(series)


def of_class(whole, sop_class):
    """A file's content as one of another class, of which no image can be read."""
    return whole[:-100].replace(b"1.2.840.10008.5.1.4.1.1.4\x00", sop_class.ljust(26, b"\x00"))


def test_what_is_no_image_beside_a_series_does_not_keep_it_from_being_read(series):
    whole = (series / "0.dcm").read_bytes()
    structured_report, of_siemens, directory = (
        b"1.2.840.10008.5.1.4.1.1.88.33",
        b"1.3.12.2.1107.5.9.1",
        b"1.2.840.10008.1.3.10",
    )
    (series / "report.dcm").write_bytes(of_class(whole, structured_report[:26]))
    (series / "spectrum.dcm").write_bytes(of_class(whole, of_siemens))
    (series / "DICOMDIR").write_bytes(of_class(whole, directory))
    (series / "notes.txt").write_text("no DICOM")
    (series / "._9.dcm").write_bytes(b"left by macOS")
    (series / "older").mkdir()
    assert read_volume(series).grid.shape == (12, 10, 10)
