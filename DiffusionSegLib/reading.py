"""Scans and label maps from files and DICOM folders."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.compressed_file import check_compressed
from DiffusionSegLib.dicom_series import OTHER_FORMATS, read_dicom_series
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.itk_warnings import without_itk_warnings
from DiffusionSegLib.memory_shortage import is_memory_shortage
from DiffusionSegLib.nifti_geometry import affine_of, space_codes_of
from DiffusionSegLib.segment_header import ENDING as SEGMENTATION_ENDING
from DiffusionSegLib.volume import Volume
from DiffusionSegLib.writing import LPS_FROM_RAS

NIBABEL_ENDINGS = (".nii", ".nii.gz", ".mgz", ".mgh")
SIMPLEITK_ENDINGS = (SEGMENTATION_ENDING, ".nrrd", ".nhdr", ".mha", ".mhd")
# Booleans, whole and floating-point numbers, as numpy calls them; colours and complex numbers are others.
REAL_NUMBERS = "biuf"


def read_volume(path: Path) -> Volume:
    """A scan of one channel.

    Args:
        path: a NIfTI, NRRD, MHA or MGZ file, or a folder with a DICOM series.

    Raises:
        DiffusionSegError: if it is missing, damaged, no single 3D volume or of another format.
    """
    array, grid = _read(path)
    return Volume(np.ascontiguousarray(array, dtype=np.float32)[None], grid, stem(path))


def read_labelmap(path: Path) -> tuple[np.ndarray, Grid]:
    """A label map, int32 (I, J, K), with its grid.

    Raises:
        DiffusionSegError: as `read_volume`, and if there are voxels that are no whole numbers from 0.
    """
    array, grid = _read(path)
    values = np.asarray(array)
    if not np.isfinite(values).all() or (values != np.round(values)).any() or (values < 0).any():
        message = f"{path.name} is no label map: it has voxels that are no whole numbers from 0."
        raise DiffusionSegError(message, "Export the labels as a label map.")
    if values.max(initial=0) > np.iinfo(np.uint16).max:
        raise DiffusionSegError(f"{path.name} has label values above 65535.", "Give the labels smaller numbers.")
    return values.astype(np.int32), grid


def stem(path: Path) -> str:
    """A file's or folder's name without what says its format."""
    if path.name in {"", ".."}:
        # Such as the folder that the person is in, whose own name the results should have.
        return path.resolve().name
    for ending in (*NIBABEL_ENDINGS[::-1], *SIMPLEITK_ENDINGS):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.name


def _read(path: Path) -> tuple[np.ndarray, Grid]:
    name = path.name.lower()
    if not os.access(path, os.R_OK):
        raise _not_readable(path)
    try:
        if path.is_dir():
            with without_itk_warnings():
                return _read_simpleitk(read_dicom_series(path))
        check_compressed(path)
        if name.endswith(NIBABEL_ENDINGS):
            return _read_nibabel(path)
        if name.endswith(SIMPLEITK_ENDINGS):
            with without_itk_warnings():
                image = sitk.ReadImage(str(path))
            if name.endswith(SEGMENTATION_ENDING) and image.GetNumberOfComponentsPerPixel() > 1:
                message = f"Segments in {path.name} overlap, so that a voxel would have several labels."
                raise DiffusionSegError(message, "Let no segment overlap another, and save it again.")
            return _read_simpleitk(image)
    except DiffusionSegError:
        raise
    # A damaged file makes the libraries raise whatever their decoders stumble over.
    except Exception as error:
        if is_memory_shortage(error):
            raise
        message = f"{path.name} cannot be read: it is damaged, incomplete or not what its name says."
        raise DiffusionSegError(message, "Copy or export it again.") from error
    raise DiffusionSegError(f"{path.name} is in an unknown format.", OTHER_FORMATS)


def _not_readable(path: Path) -> DiffusionSegError:
    with contextlib.suppress(OSError):
        if path.exists():
            return DiffusionSegError(f"{path} may not be read.", "Get the right to read it, or copy it.")
    return DiffusionSegError(f"There is no file {path}.", "Check the name and the folder.")


def _read_nibabel(path: Path) -> tuple[np.ndarray, Grid]:
    image = nib.load(path)
    array = np.asanyarray(image.dataobj)  # type: ignore[attr-defined]
    if array.ndim > 3 and array.size == np.prod(array.shape[:3]):
        array = array.reshape(array.shape[:3])
    array, grid = _checked(array, affine_of(image, path.name))  # type: ignore[arg-type]
    return array, replace(grid, space_codes=space_codes_of(image))  # type: ignore[arg-type]


def _read_simpleitk(image: sitk.Image) -> tuple[np.ndarray, Grid]:
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise _several_values()
    array = sitk.GetArrayFromImage(image).T
    affine = np.eye(4)
    if image.GetDimension() == 3:
        affine[:3, :3] = np.asarray(image.GetDirection()).reshape(3, 3) * np.asarray(image.GetSpacing())
        affine[:3, 3] = image.GetOrigin()
    return _checked(array, LPS_FROM_RAS @ affine)


def _several_values() -> DiffusionSegError:
    return DiffusionSegError("The file holds several values a voxel, such as colours.", "Give a plain 3D scan.")


def _checked(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, Grid]:
    if array.dtype.kind not in REAL_NUMBERS:
        raise _several_values()
    if array.ndim != 3 or min(array.shape) < 2:
        kind = f"{array.ndim}D series" if array.ndim > 3 else "single slice"
        raise DiffusionSegError(f"The file holds a {kind}, not a 3D volume.", "Give one volume of it.")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DiffusionSegError("The file does not say where its voxels lie.", "Export it again with its geometry.")
    return array, Grid((array.shape[0], array.shape[1], array.shape[2]), affine)
