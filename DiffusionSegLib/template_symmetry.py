"""A template whose left is the mirror image of its right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.alignment import find_transform, image_of
from DiffusionSegLib.itk_interruption import interruptible
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.template import Template
from DiffusionSegLib.template_building import MARGIN_VOXELS

# An average of both sides is blurred where these differ; each round aligns to a sharper one.
ROUNDS = 2
STEPS = 100


def symmetrised(template: Template, progress: Progress = silent) -> Template:
    """The average of a template and its mirror image, which first is turned so that the two are most alike.

    Positions in it can be mirrored: what is learnt of a left structure tells of the right one.

    Args:
        template: what to start from.
        progress: told how many of the alignments are done; what it raises stops the work at once.
    """
    turned = _upright(template, lambda: progress("symmetry", 0, 1 + ROUNDS))
    average = _both_sides(turned)
    for done in range(1, 1 + ROUNDS):
        still, moving = (image_of(image, template.spacing_mm) for image in (average, turned))
        found = find_transform(still, moving, progress=lambda *_: progress("symmetry", done, 1 + ROUNDS))  # noqa: B023
        average = _both_sides(sitk.GetArrayFromImage(sitk.Resample(moving, still, found)).T)
    progress("symmetry", 1 + ROUNDS, 1 + ROUNDS)
    return Template(np.clip(average, 0, 1), template.spacing_mm)


def _both_sides(image: np.ndarray) -> np.ndarray:
    average: np.ndarray = (image + image[::-1]) / 2
    return average


def _upright(template: Template, on_iteration: Callable[[], None]) -> np.ndarray:
    """The template's image, with a margin, its middle plane in the middle of the grid and across the first axis."""
    padded = np.pad(template.image, MARGIN_VOXELS)
    image, mirrored = (image_of(array, template.spacing_mm) for array in (padded, padded[::-1]))
    turn = sitk.Euler3DTransform()
    turn.SetCenter(image.TransformContinuousIndexToPhysicalPoint([(size - 1) / 2 for size in image.GetSize()]))
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, STEPS)
    method.SetOptimizerScalesFromPhysicalShift()
    # A mirror undoes neither turns around the first axis nor shifts along the others.
    method.SetOptimizerWeights([0, 1, 1, 1, 0, 0])
    method.SetInitialTransform(turn, inPlace=True)
    with interruptible(method, on_iteration):
        method.Execute(image, mirrored)
    # A tilted image and its mirror image are tilted to opposite sides: each is half the way from being upright.
    half = sitk.Euler3DTransform(turn)
    half.SetParameters([-value / 2 for value in turn.GetParameters()])
    return sitk.GetArrayFromImage(sitk.Resample(image, image, half)).T
