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
            one place (phases, echoes), some missing or damaged, or a tilted gantry.
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
    if _tells_places(reader, len(files)):
        check_places(np.array([_numbers(reader, number, POSITION) for number in range(len(files))]), _normal(reader))
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
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.ReadImageInformation()
    return reader.GetDimension() > 2 and reader.GetSize()[2] > 1


def _tells_places(reader: sitk.ImageSeriesReader, slices: int) -> bool:
    positions = all(reader.HasMetaDataKey(number, POSITION) for number in range(slices))
    return positions and reader.HasMetaDataKey(0, ORIENTATION)


def _normal(reader: sitk.ImageSeriesReader) -> np.ndarray:
    """The direction across the slices."""
    orientation = _numbers(reader, 0, ORIENTATION)
    return np.cross(orientation[:3], orientation[3:])


def _numbers(reader: sitk.ImageSeriesReader, number: int, key: str) -> np.ndarray:
    return np.array([float(part) for part in reader.GetMetaData(number, key).split("\\")])
