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
        aligned, in_common = _Mean(), _Mean()
        for index, scan in enumerate(scans):
            progress("template", number * len(scans) + index, total)
            found = find_transform(average, scan, deforming=deforming)
            aligned.add(sitk.Resample(scan, average, found))
            if deforming:
                in_common.add(_deformation_of(found, average))
        average = sitk.Cast(aligned.image(), sitk.sitkFloat32)
        if deforming:
            average = _without(in_common.image(), average)
        average = around_tissue(average)
    return Template(np.clip(sitk.GetArrayFromImage(average).T, 0, 1), spacing_mm)


class _Mean:
    """The mean of images on one grid, which are not kept: fields of many people at 1 mm would fill the memory."""

    def __init__(self) -> None:
        self.sum: np.ndarray | None = None
        self.count = 0

    def add(self, image: sitk.Image) -> None:
        """Take in one more."""
        values = sitk.GetArrayViewFromImage(image)
        self.sum = values.astype(np.float64) if self.sum is None else np.add(self.sum, values, out=self.sum)
        self.count, self.last = self.count + 1, image

    def image(self) -> sitk.Image:
        """The mean of all so far."""
        assert self.sum is not None
        mean = sitk.GetImageFromArray(self.sum / self.count, isVector=self.last.GetNumberOfComponentsPerPixel() > 1)
        mean.CopyInformation(self.last)
        return mean


def _deformation_of(found: sitk.CompositeTransform, like: sitk.Image) -> sitk.Image:
    """The displacements in mm without the affine."""
    deformation = found.GetNthTransform(found.GetNumberOfTransforms() - 1)
    grid = like.GetSize(), like.GetOrigin(), like.GetSpacing()
    return sitk.TransformToDisplacementField(deformation, sitk.sitkVectorFloat64, *grid)


def _without(in_common: sitk.Image, average: sitk.Image) -> sitk.Image:
    """The average without what all deformations have in common: the shape that it took over from its first scan."""
    undone = sitk.InvertDisplacementField(in_common, maximumNumberOfIterations=INVERSION_STEPS)
    return sitk.Resample(average, average, sitk.DisplacementFieldTransform(undone))
