"""Label maps and volumes as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segment_header import write_label

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_volume(path: Path, array: np.ndarray, grid: Grid) -> None:
    """Write voxels (I, J, K) as NIfTI, or in any other format that SimpleITK knows by the name's ending.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with atomic_path(path) as part:
        if path.name.endswith((".nii", ".nii.gz")):
            image = nib.Nifti1Image(array, grid.affine)
            # Both forms of the geometry, so that readers which trust either agree; a shear only fits the second.
            qform_code, sform_code = grid.space_codes
            image.set_qform(grid.affine, code=qform_code, strip_shears=True)
            image.set_sform(grid.affine, code=sform_code)
            image.header.set_xyzt_units("mm")
            nib.save(image, part)
        else:
            sitk.WriteImage(_image(array, grid), str(part), useCompression=True)


def write_segmentation(path: Path, labelmap: np.ndarray, grid: Grid, labels: Sequence[Label]) -> None:
    """Write a label map (I, J, K) as `.seg.nrrd`, which Slicer opens as a segmentation with names and colours.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    image = _image(labelmap, grid)
    for number, label in enumerate(labels):
        write_label(image, number, label, _extent(labelmap == label.value))
    image.SetMetaData("Segmentation_MasterRepresentation", "Binary labelmap")
    image.SetMetaData("Segmentation_SourceRepresentation", "Binary labelmap")
    image.SetMetaData("Segmentation_ContainedRepresentationNames", "Binary labelmap|")
    image.SetMetaData("Segmentation_ReferenceImageExtentOffset", "0 0 0")
    with atomic_path(path) as part:
        sitk.WriteImage(image, str(part), useCompression=True)


def _image(array: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    affine = LPS_FROM_RAS @ grid.affine
    image.SetSpacing(grid.spacing)
    image.SetDirection((affine[:3, :3] / np.asarray(grid.spacing)).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def _extent(inside: np.ndarray) -> str:
    """First and last voxel along each axis, as Slicer writes them; an empty segment has last before first."""
    if not inside.any():
        return "0 -1 0 -1 0 -1"
    return " ".join(f"{first} {past - 1}" for first, past in bounding_box(inside))
