"""A template from unlabelled scans of many people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.alignment import find_transform, image_of, shrunk
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.template import Template

SPACING_MM = 2.0
MARGIN_VOXELS = 4
# An average after affines is blurred; each later round aligns to a sharper one.
ROUNDS_DEFORM = (False, True, True)
INVERSION_STEPS = 20


def build_template(images: Sequence[np.ndarray], spacing_mm: float, progress: Progress = silent) -> Template:
    """The average of scans, each aligned to it, in rounds.

    Args:
        images: normalised scans (I, J, K) in RAS order, in [-1, 1].
        spacing_mm: edge of their voxels.
        progress: told of every alignment.
    """
    scans = [shrunk(image_of((image.astype(np.float32) + 1) / 2, spacing_mm), SPACING_MM) for image in images]
    average = sitk.ConstantPad(scans[0], [MARGIN_VOXELS] * 3, [MARGIN_VOXELS] * 3, 0.0)
    average.SetOrigin([0.0] * 3)
    total = len(ROUNDS_DEFORM) * len(scans)
    for number, deforming in enumerate(ROUNDS_DEFORM):
        transforms: list[sitk.CompositeTransform] = []
        for scan in scans:
            progress("template", number * len(scans) + len(transforms), total)
            transforms.append(find_transform(average, scan, deforming=deforming))
        average = _mean(
            [sitk.Resample(scan, average, found) for scan, found in zip(scans, transforms, strict=True)], average
        )
        if deforming:
            average = _in_mean_shape(average, transforms)
    return Template(np.clip(sitk.GetArrayFromImage(average).T, 0, 1), SPACING_MM)


def _mean(images: Sequence[sitk.Image], like: sitk.Image) -> sitk.Image:
    mean = sitk.GetImageFromArray(np.mean([sitk.GetArrayFromImage(image) for image in images], axis=0))
    mean.CopyInformation(like)
    return mean


def _in_mean_shape(average: sitk.Image, transforms: Sequence[sitk.CompositeTransform]) -> sitk.Image:
    """Undo what the deformations have in common: the shape that the average took over from its first scan."""
    grid = average.GetSize(), average.GetOrigin(), average.GetSpacing()
    fields = []
    for found in transforms:
        deformation = found.GetNthTransform(found.GetNumberOfTransforms() - 1)
        fields.append(
            sitk.GetArrayFromImage(sitk.TransformToDisplacementField(deformation, sitk.sitkVectorFloat64, *grid))
        )
    common = sitk.GetImageFromArray(np.mean(fields, axis=0), isVector=True)
    common.CopyInformation(average)
    undone = sitk.InvertDisplacementField(common, maximumNumberOfIterations=INVERSION_STEPS)
    transform = sitk.DisplacementFieldTransform(sitk.Cast(undone, sitk.sitkVectorFloat64))
    return sitk.Resample(average, average, transform)
