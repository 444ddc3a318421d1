"""Where the voxels of a file that nibabel read lie, as ITK and so Slicer would have it."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np

from DiffusionSegLib.errors import DiffusionSegWarning

# Metres and microns by NIfTI's code in the lowest bits; all others count as millimetres.
UNIT_BITS = 0b111
MM_PER_UNIT = {1: 1e3, 3: 1e-3}


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
