"""A DICOM file of many frames, as newer scanners write them, as one regular volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.extras import of_extra
from DiffusionSegLib.memory_shortage import is_memory_shortage
from DiffusionSegLib.slice_places import check_places

IN_SLICER = "Load it in 3D Slicer, and give the volume that you save there."
# Of directions, and of spacings in mm: what rounding makes of the same ones.
SAME = 1e-3


def read_frames(file: str) -> sitk.Image:
    """The volume in an enhanced DICOM file, whose frames may stand in any order (DICOM PS3.3, C.7.6.16).

    Raises:
        DiffusionSegError: if pydicom is missing, if the frames do not say where they lie, do not make a regular grid,
            or are compressed in a way that cannot be read.
    """
    with of_extra("dicom", "A DICOM file of many frames needs pydicom"):
        import pydicom
    dataset = pydicom.dcmread(file)
    frames = dataset.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        raise _without_places()
    if dataset.get("SamplesPerPixel", 1) != 1:
        raise DiffusionSegError("The frames of the DICOM file are in colour.", "Give a plain 3D scan.")
    groups = _Groups(dataset.get("SharedFunctionalGroupsSequence") or [{}], frames)
    rows, columns, normal = _directions(groups)
    places = groups.numbers("PlanePositionSequence", "ImagePositionPatient")
    order = np.argsort(places @ normal, kind="stable")
    places = places[order]
    check_places(places, normal, IN_SLICER)
    image = sitk.GetImageFromArray(_values(dataset, groups)[order])
    between_rows, between_columns = _same(groups.numbers("PixelMeasuresSequence", "PixelSpacing"))
    image.SetSpacing([between_columns, between_rows, float((places[-1] - places[0]) @ normal) / (len(places) - 1)])
    image.SetDirection(np.stack([rows, columns, normal], axis=1).ravel().tolist())
    image.SetOrigin(places[0].tolist())
    return image


class _Groups:
    """What is said of each frame, or of all of them together.

    Args:
        shared: the functional groups of all frames, in a sequence of one.
        frames: those of each frame.
    """

    def __init__(self, shared: Any, frames: Any) -> None:
        self.shared, self.frames = shared[0], frames

    def numbers(self, group: str, name: str) -> np.ndarray:
        """An attribute of a group, (frames, values).

        Raises:
            DiffusionSegError: if a frame lacks it.
        """
        found = [self._attribute(frame, group, name) for frame in self.frames]
        if any(value is None for value in found):
            raise _without_places()
        return np.array(found, float).reshape(len(found), -1)

    def number(self, group: str, name: str, default: float) -> np.ndarray:
        """An attribute that is one number, (frames, 1, 1); the default where it is missing."""
        found = [self._attribute(frame, group, name) for frame in self.frames]
        return np.array([default if value is None else value for value in found], np.float32)[:, None, None]

    def _attribute(self, frame: Any, group: str, name: str) -> Any:
        sequence = frame.get(group) or self.shared.get(group)
        return sequence[0].get(name) if sequence else None


def _directions(groups: _Groups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors along the rows, along the columns and across the frames, which all have the same ones."""
    orientation = _same(groups.numbers("PlaneOrientationSequence", "ImageOrientationPatient"))
    rows, columns = orientation[:3], orientation[3:]
    return rows, columns, np.cross(rows, columns)


def _same(of_frames: np.ndarray) -> np.ndarray:
    """What all frames have alike."""
    if np.ptp(of_frames, axis=0).max() > SAME:
        message = "The frames of the DICOM file lie in several directions or have voxels of several sizes."
        raise DiffusionSegError(message, IN_SLICER)
    return of_frames[0]


def _values(dataset: Any, groups: _Groups) -> np.ndarray:
    """The frames' values (frames, rows, columns) as the scanner means them, float32."""
    try:
        pixels = dataset.pixel_array
    except Exception as error:
        if is_memory_shortage(error):
            raise
        raise DiffusionSegError(
            "The DICOM file is damaged or compressed in a way that is unknown here.", IN_SLICER
        ) from error
    # Where frames do not tell theirs, the file may.
    slope = groups.number("PixelValueTransformationSequence", "RescaleSlope", dataset.get("RescaleSlope", 1))
    intercept = groups.number(
        "PixelValueTransformationSequence", "RescaleIntercept", dataset.get("RescaleIntercept", 0)
    )
    return np.asarray(pixels, np.float32) * slope + intercept


def _without_places() -> DiffusionSegError:
    return DiffusionSegError("The DICOM file of many frames does not say where they lie.", IN_SLICER)
