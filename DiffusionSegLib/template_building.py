"""A template from unlabelled scans of many people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.alignment import around_tissue, find_transform, image_of
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.template import Template

MARGIN_VOXELS = 8
# An average after affines is blurred; each later round aligns to a sharper one.
ROUNDS_DEFORM = (False, True, True)
INVERSION_STEPS = 20


def build_template(images: Sequence[np.ndarray], spacing_mm: float, progress: Progress = silent) -> Template:
    """The average of scans, each aligned to it, in rounds.

    Args:
        images: normalised scans (I, J, K) in RAS order, in [-1, 1].
        spacing_mm: edge of their voxels, and of the template's.
        progress: told of every alignment.
    """
    scans = [image_of((image.astype(np.float32) + 1) / 2, spacing_mm) for image in images]
    average = sitk.ConstantPad(scans[0], [MARGIN_VOXELS] * 3, [MARGIN_VOXELS] * 3, 0.0)
    average.SetOrigin([0.0] * 3)
    total = len(ROUNDS_DEFORM) * len(scans)
    for number, deforming in enumerate(ROUNDS_DEFORM):
        # Sums alone are kept: fields of many people at 1 mm would fill the memory.
        aligned, deformations = np.zeros(()), np.zeros(())
        for index, scan in enumerate(scans):
            progress("template", number * len(scans) + index, total)
            found = find_transform(average, scan, deforming=deforming)
            aligned = aligned + sitk.GetArrayFromImage(sitk.Resample(scan, average, found))
            if deforming:
                deformations = deformations + _deformation_of(found, average)
        mean = _image((aligned / len(scans)).astype(np.float32), average)
        if deforming:
            mean = _without(_image(deformations / len(scans), average), mean)
        average = around_tissue(mean)
    return Template(np.clip(sitk.GetArrayFromImage(average).T, 0, 1), spacing_mm)


def _image(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    """Values on the grid of an image, numbers (K, J, I) or vectors (K, J, I, 3)."""
    image = sitk.GetImageFromArray(values, isVector=values.ndim > like.GetDimension())
    image.CopyInformation(like)
    return image


def _deformation_of(found: sitk.CompositeTransform, like: sitk.Image) -> np.ndarray:
    """The displacements in mm without the affine, (K, J, I, 3)."""
    deformation = found.GetNthTransform(found.GetNumberOfTransforms() - 1)
    grid = like.GetSize(), like.GetOrigin(), like.GetSpacing()
    return sitk.GetArrayFromImage(sitk.TransformToDisplacementField(deformation, sitk.sitkVectorFloat64, *grid))


def _without(in_common: sitk.Image, average: sitk.Image) -> sitk.Image:
    """The average without what all deformations have in common: the shape that it took over from its first scan."""
    undone = sitk.InvertDisplacementField(in_common, maximumNumberOfIterations=INVERSION_STEPS)
    return sitk.Resample(average, average, sitk.DisplacementFieldTransform(undone))
