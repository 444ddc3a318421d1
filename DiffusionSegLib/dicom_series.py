"""A DICOM series as one regular volume."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.dicom_frames import read_frames
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.itk_warnings import without_itk_warnings
from DiffusionSegLib.slice_places import check_places

OTHER_FORMATS = "Give NIfTI, NRRD, MHA, MGZ or a folder with one DICOM series."
POSITION, ORIENTATION = "0020|0032", "0020|0037"
PREAMBLE_BYTES, PREFIX = 128, b"DICM"
# What a file is of stands near its start, as Media Storage SOP Class UID or SOP Class UID in little endian.
HEAD_BYTES = 4096
CLASS = re.compile(rb"(?:\x02\x00\x02\x00|\x08\x00\x16\x00)....([0-9.]+)[^0-9.]", re.DOTALL)


def holds_dicom(folder: Path) -> bool:
    """Whether there is a DICOM series right in a folder."""
    with without_itk_warnings():
        return bool(sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)))


def read_dicom_series(folder: Path) -> sitk.Image:
    """The volume in a folder that holds one DICOM series.

    Raises:
        DiffusionSegError: if there is none or more than one, or if its slices do not make a regular grid: several at
            one place (phases, echoes), some missing or damaged, or a tilted gantry; or as `read_frames`.
    """
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise DiffusionSegError(f"The folder {folder} holds no DICOM series.", OTHER_FORMATS)
    if len(series) > 1:
        message = f"The folder {folder} holds {len(series)} DICOM series."
        raise DiffusionSegError(message, "Give a folder with the files of one series only.")
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    _refuse_damaged(folder, [Path(file) for file in files])
    if len(files) == 1 and _holds_frames(files[0]):
        return read_frames(files[0])
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    image = reader.Execute()
    told = _places(reader, files)
    if told is not None:
        check_places(*told, "Give a folder with the files of one of them.")
    return image


def _refuse_damaged(folder: Path, read: Sequence[Path]) -> None:
    """Raise a DiffusionSegError if files that should be slices are not among those read: unreadable ones are skipped.

    What is no image is rightly skipped, such as reports and DICOMDIR, and of another class than the slices.
    """
    names, endings = {path.name for path in read}, {path.suffix.lower() for path in read} - {""}
    skipped = (path for path in sorted(folder.iterdir()) if path.name not in names and path.is_file())
    of_slices = _class_of(_head(read[0]))
    damaged = [path.name for path in skipped if _seems_slice(path, endings, of_slices)]
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        message = f"{damaged[0]}{more} of the DICOM series in {folder} cannot be read: damaged or incomplete."
        raise DiffusionSegError(message, "Copy the series again.")


def _seems_slice(path: Path, endings: set[str], of_slices: bytes) -> bool:
    # Names with a point in front are hidden: macOS leaves such files, which are no slices, beside others.
    if path.name.startswith("."):
        return False
    head = _head(path)
    dicom = head[PREAMBLE_BYTES:].startswith(PREFIX) or path.suffix.lower() in endings
    return dicom and _class_of(head) in {b"", of_slices}


def _class_of(head: bytes) -> bytes:
    """Which kind of object a file is; empty if it ends before that."""
    found = CLASS.search(head)
    return found[1] if found else b""


def _head(path: Path) -> bytes:
    """The beginning of a file; empty if it may not be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _holds_frames(file: str) -> bool:
    """Whether a file holds several frames."""
    header = _header(file)
    return header.GetDimension() > 2 and header.GetSize()[2] > 1


def _places(reader: sitk.ImageSeriesReader, files: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the slices lie (N, 3), and the direction across them; None if they do not tell."""
    slices = range(len(files))
    if all(reader.HasMetaDataKey(number, POSITION) for number in slices) and reader.HasMetaDataKey(0, ORIENTATION):
        orientation = _numbers(reader, 0, ORIENTATION)
        places = np.array([_numbers(reader, number, POSITION) for number in slices])
        return places, np.cross(orientation[:3], orientation[3:])
    # Enhanced files of one frame tell it elsewhere, where ITK finds it; of others it makes the same place for all.
    headers = [_header(file) for file in files]
    places = np.array([header.GetOrigin() for header in headers])
    return (places, np.reshape(headers[0].GetDirection(), (3, 3))[:, 2]) if np.ptp(places, axis=0).any() else None


def _numbers(reader: sitk.ImageSeriesReader, number: int, key: str) -> np.ndarray:
    return np.array([float(part) for part in reader.GetMetaData(number, key).split("\\")])


def _header(file: str) -> sitk.ImageFileReader:
    """What a file says of its image, without the image."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.ReadImageInformation()
    return reader
