"""Aligning one scan to another by their intensities: an affine, then a smooth deformation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.progress import Progress, silent

SHRINK_FACTORS = (4, 2, 1)
AFFINE_STEPS = 60
DEMONS_STEPS = (40, 30, 20)
DEMONS_SMOOTHING_VOXELS = 1.5
MOST_ITERATIONS = AFFINE_STEPS * len(SHRINK_FACTORS) + sum(DEMONS_STEPS)


def image_of(intensities: np.ndarray, spacing_mm: float) -> sitk.Image:
    """Intensities (I, J, K) as an image whose first voxel lies at the origin."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(intensities.T, dtype=np.float32))
    image.SetSpacing([spacing_mm] * 3)
    return image


def shrunk(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """The image with voxels of that edge, smoothed before as far as it gets coarser."""
    factor = spacing_mm / image.GetSpacing()[0]
    if factor > 1:
        image = sitk.SmoothingRecursiveGaussian(image, 0.5 * spacing_mm)
    size = [max(1, int(np.ceil(edge / factor))) for edge in image.GetSize()]
    return sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), [spacing_mm] * 3)


def find_transform(
    still: sitk.Image, moving: sitk.Image, *, deforming: bool = True, progress: Progress = silent
) -> sitk.CompositeTransform:
    """From the points of one image to those of another that shows the same, both of the same voxel size.

    Args:
        still: the image whose points are mapped.
        moving: the image they are mapped to.
        deforming: whether diffeomorphic demons (Vercauteren et al. 2009) follow the affine.
        progress: asked at every iteration; what it raises, Ctrl-C included, stops the alignment.

    Raises:
        DiffusionSegError: if the two have nothing in common.
    """
    iterations = _Iterations(progress)
    try:
        affine = _affine(still, moving, iterations)
    except RuntimeError as error:
        message = "The scan could not be aligned to the template of the model bundle."
        raise DiffusionSegError(message, "Check that it shows the body part that the bundle is for.") from error
    found = sitk.CompositeTransform([affine])
    if deforming:
        moved = sitk.Resample(moving, still, affine, sitk.sitkLinear, 0.0)
        # A composite applies what was added last first.
        found.AddTransform(sitk.DisplacementFieldTransform(_deformation(still, moved, iterations)))
    return found


class _Iterations:
    """Tells of every iteration of ITK's methods, and lets what is raised then stop them and come through.

    ITK itself would swallow the exception, and Python would obey Ctrl-C only after the method has ended.

    Args:
        progress: told how many iterations are done.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress, self.done = progress, 0

    @contextmanager
    def of(self, method: sitk.ImageRegistrationMethod | sitk.DiffeomorphicDemonsRegistrationFilter) -> Iterator[None]:
        """Watch a method while it runs."""
        raised: list[BaseException] = []
        stop = method.StopRegistration if isinstance(method, sitk.ImageRegistrationMethod) else method.Abort

        def iterated() -> None:
            if raised:
                # Stopping ends one level of an affine, and the next begins.
                stop()
                return
            try:
                self.done = min(self.done + 1, MOST_ITERATIONS)
                self.progress("alignment", self.done, MOST_ITERATIONS)
            except BaseException as error:
                raised.append(error)
                stop()

        method.AddCommand(sitk.sitkIterationEvent, iterated)
        try:
            yield
        except RuntimeError:
            if not raised:
                raise
        if raised:
            raise raised[0]


def _affine(still: sitk.Image, moving: sitk.Image, iterations: _Iterations) -> sitk.AffineTransform:
    """The affine that makes the intensities correlate best."""
    affine = sitk.AffineTransform(
        sitk.CenteredTransformInitializer(
            still, moving, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
        )
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.25, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, AFFINE_STEPS, 0.6, 1e-5)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(SHRINK_FACTORS)
    method.SetSmoothingSigmasPerLevel([factor / 2 for factor in SHRINK_FACTORS])
    method.SetInitialTransform(affine, inPlace=True)
    with iterations.of(method):
        method.Execute(still, moving)
    return affine


def _deformation(still: sitk.Image, moved: sitk.Image, iterations: _Iterations) -> sitk.Image:
    """Displacements in mm between an image and another that an affine has moved there before."""
    field: sitk.Image | None = None
    for factor, steps in zip(SHRINK_FACTORS, DEMONS_STEPS, strict=True):
        spacing = factor * still.GetSpacing()[0]
        coarse, coarse_moved = (shrunk(image, spacing) if factor > 1 else image for image in (still, moved))
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetNumberOfIterations(steps)
        demons.SetStandardDeviations(DEMONS_SMOOTHING_VOXELS)
        start = [] if field is None else [sitk.Resample(field, coarse)]
        with iterations.of(demons):
            field = demons.Execute(coarse, coarse_moved, *start)
    assert field is not None
    return field
