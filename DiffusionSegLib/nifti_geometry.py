"""Where the voxels of a file that nibabel read lie, as ITK and so Slicer would have it."""

from __future__ import annotations

import warnings
from contextlib import suppress

import nibabel as nib
import numpy as np

from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.grid import Grid

# Metres and microns by NIfTI's code in the lowest bits; all others count as millimetres.
UNIT_BITS = 0b111
MM_PER_UNIT = {1: 1e3, 3: 1e-3}
# What both forms of the geometry are said to lead to where a file does not say it.
SCANNER = 1
# Of a voxel's edge: programs round what they write in the one form in another way than in the other.
SAME_FORM = 0.01


def affine_of(image: nib.spatialimages.SpatialImage, name: str) -> np.ndarray:
    """The affine from voxel indices to RAS mm, float64 (4, 4); warns if a NIfTI file tells distances alone.

    Args:
        image: what nibabel read, NIfTI or other.
        name: the file's, to tell of it.
    """
    header, affine = image.header, np.array(image.affine, dtype=np.float64)
    if not isinstance(header, nib.Nifti1Header):
        return affine
    if header["qform_code"] == 0 and header["sform_code"] == 0:
        # nibabel would put the first axis's end to the left and the zero point into the middle, ITK neither.
        left_and_back = (-1.0, -1.0, 1.0)
        affine = np.diag([*left_and_back * header["pixdim"][1:4], 1.0])
        message = f"{name} does not say how its voxels lie in the patient: compare left and right with another source."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
    affine[:3] *= MM_PER_UNIT.get(int(header["xyzt_units"]) & UNIT_BITS, 1.0)
    return affine


def space_codes_of(image: nib.spatialimages.SpatialImage) -> tuple[int, int]:
    """The qform_code and sform_code for files whose voxels lie where those of an image do, in both forms alike.

    Each is that of its own form, unless this puts the voxels elsewhere than `affine_of` does, or nowhere.
    """
    header = image.header
    if not isinstance(header, nib.Nifti1Header):
        return SCANNER, SCANNER
    qform_code, sform_code = int(header["qform_code"]), int(header["sform_code"])
    if qform_code and sform_code and _forms_agree(header):
        return qform_code, sform_code
    # nibabel takes the second wherever there is one.
    code = sform_code or qform_code or SCANNER
    return code, code


def _forms_agree(header: nib.Nifti1Header) -> bool:
    first, second, third = header.get_data_shape()[:3]
    # What stands in the first form may be no rotation.
    with suppress(ValueError):
        qform, sform = (Grid((first, second, third), form()) for form in (header.get_qform, header.get_sform))
        return qform.matches(sform, tolerance_mm=SAME_FORM * min(header.get_zooms()[:3]))
    return False
