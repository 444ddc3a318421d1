"""Which part of a scan a template shows, where the scan shows much more: the brain within a head."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import TypeVar

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.alignment import image_of, shrunk
from DiffusionSegLib.itk_interruption import interruptible
from DiffusionSegLib.itk_warnings import without_itk_warnings
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.template import Template

# Of the intensities from 0 to 1.
TISSUE = 0.1
# Tissue of a scan, in volumes of the template's: brains of 22 people 0.7 to 1.1, heads of 9 people 1.8 to 2.8.
MUCH_MORE = 1.3
# Edge of the voxels that it is looked for with, and of those that starts are compared with.
COARSE_MM, STARTS_MM = 4.0, 8.0
# Around the template: so far the dark rim of fluid and bone tells where the part ends, and so much of it is kept.
RIM_MM, KEPT_RIM_MM = 8.0, 6.0
# From the top of the scan down lies nothing but the part and what is around it, neither face nor neck; and so far down
# lies the part's own top.
TOP_MM, TOP_OF_PART_MM = 100.0, 14.0
# Around where the part most likely lies: degrees of nodding, and steps to the front and up.
NODS, STEPS_MM = (-20.0, 0.0, 20.0), (-20.0, 0.0, 20.0)
STARTS, MOST_STEPS = 4, 100
# In mm, of a similarity and then of an affine: with first steps as large as the former's, the latter left the brains of
# 7 of 15 heads made from label maps, and that of an average of scanned heads.
FIRST_STEP, FIRST_STEP_OF_AFFINE = 4.0, 1.0
# The square of the correlation, which is what ITK tells. A scan of a head and an average of many reached 0.80 and 0.79,
# heads made from the label maps of 8 people 0.65 to 0.77, with bright fat and blurred 0.65 to 0.80, in the contrast of
# T2 0.63 to 0.71; with a bias field that makes a side seven times as bright as the other, 6 of 7 reached 0.45 to 0.72.
# Upside down they reached 0.25, back to front 0.18 to 0.48.
LEAST_LIKENESS = 0.4
# Volumes of the part in those of the template: whatever is bright and round looks like a brain of some size.
LEAST_GROWTH, MOST_GROWTH = 0.5, 1.5

Place = TypeVar("Place", sitk.Similarity3DTransform, sitk.AffineTransform)


def part_in_template(
    normalised: np.ndarray, spacing_mm: float, template: Template, progress: Progress = silent
) -> np.ndarray | None:
    """Which voxels of a scan lie in what the template shows; None where nearly all do, or where it is not found.

    The template is looked for near the top of the scan by the correlation of intensities, which are compared within the
    template and a rim around it alone.

    Args:
        normalised: the scan (I, J, K) in RAS order, in [-1, 1], where -1 is air.
        spacing_mm: edge of its voxels.
        template: what is looked for.
        progress: asked at every step; what it raises stops the work.

    Returns:
        bool (I, J, K).
    """
    intensities = image_of((normalised + 1) / 2, spacing_mm)
    scan, shown = shrunk(intensities, COARSE_MM), _with_margin(template.sitk_image)
    if _tissue_mm3(scan) < MUCH_MORE * _tissue_mm3(shown):
        return None
    aim = shrunk(shown, COARSE_MM)
    with without_itk_warnings():
        found, likeness = _place_in(scan, aim, progress)
    growth = float(np.linalg.det(np.reshape(found.GetMatrix(), (3, 3))))
    if likeness < LEAST_LIKENESS or not LEAST_GROWTH < growth < MOST_GROWTH:
        return None
    part = sitk.Resample(_within(shown, KEPT_RIM_MM), intensities, found.GetInverse(), sitk.sitkNearestNeighbor)
    return sitk.GetArrayFromImage(part).T.astype(bool)


def _place_in(scan: sitk.Image, aim: sitk.Image, progress: Progress) -> tuple[sitk.AffineTransform, float]:
    """From the points of the template to those of the scan, and the squared correlation there."""
    under = _within(aim, RIM_MM)
    places = [_refined(scan, aim, under, progress, start, FIRST_STEP) for start in _starts(scan, aim)]
    if not places:
        return sitk.AffineTransform(3), 0.0
    likeliest, likeness = max(places, key=lambda found: found[1])
    similarity = likeliest.GetMatrix(), likeliest.GetTranslation(), likeliest.GetCenter()
    affine = _refined(scan, aim, under, progress, sitk.AffineTransform(*similarity), FIRST_STEP_OF_AFFINE)
    return affine if affine[1] > likeness else (sitk.AffineTransform(*similarity), likeness)


def _starts(scan: sitk.Image, aim: sitk.Image) -> list[sitk.Similarity3DTransform]:
    """The likeliest of many places of the template in the scan."""
    coarse_scan, coarse_aim = shrunk(scan, STARTS_MM), shrunk(aim, STARTS_MM)
    method = _comparison(_within(coarse_aim, RIM_MM))

    def unlikeness(start: sitk.Similarity3DTransform) -> float:
        method.SetInitialTransform(start)
        try:
            return float(method.MetricEvaluate(coarse_aim, coarse_scan))
        except RuntimeError:
            # The two do not overlap.
            return 0.0

    extents = _extent(coarse_scan), _extent(coarse_aim)
    places = _places(*extents) if all(map(len, extents)) else []
    return sorted(places, key=unlikeness)[:STARTS]


def _places(scan: np.ndarray, aim: np.ndarray) -> list[sitk.Similarity3DTransform]:
    """Where the template may lie in the scan, by the points (N, 3) in mm where the two show tissue."""
    low, high = aim.min(0), aim.max(0)
    top = scan[:, 2].max()
    upper = scan[scan[:, 2] > top - TOP_MM]
    likeliest = (upper.min(0) + upper.max(0) - low - high) / 2
    likeliest[2] = top - TOP_OF_PART_MM - high[2]
    places = []
    for nod, forward, up in itertools.product(NODS, STEPS_MM, STEPS_MM):
        place = sitk.Similarity3DTransform()
        place.SetCenter(((low + high) / 2).tolist())
        place.SetRotation((1, 0, 0), float(np.radians(nod)))
        place.SetTranslation((likeliest + np.array([0, forward, up])).tolist())
        places.append(place)
    return places


def _extent(image: sitk.Image) -> np.ndarray:
    """Where an image shows tissue, (N, 3) in mm."""
    voxels = np.argwhere(sitk.GetArrayViewFromImage(image).T > TISSUE)
    return voxels * np.asarray(image.GetSpacing()) + np.asarray(image.GetOrigin())


def _refined(
    scan: sitk.Image, aim: sitk.Image, under: sitk.Image, progress: Progress, place: Place, first_step: float
) -> tuple[Place, float]:
    """The place, moved to where the two look alike most, and the squared correlation there."""
    method = _comparison(under)
    method.SetOptimizerAsRegularStepGradientDescent(first_step, 1e-3, MOST_STEPS, 0.6, 1e-5)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1, 0.5])
    method.SetInitialTransform(place, inPlace=True)
    likeness = 0.0
    # The two may not overlap, or one of them be too thin; what progress raises comes through.
    with interruptible(method, lambda: progress("alignment", 0, 1)), suppress(RuntimeError):
        method.Execute(aim, scan)
        likeness = -method.GetMetricValue()
    return place, likeness


def _comparison(under: sitk.Image) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricFixedMask(under)
    method.SetInterpolator(sitk.sitkLinear)
    return method


def _with_margin(image: sitk.Image) -> sitk.Image:
    margin = [int(np.ceil(RIM_MM / image.GetSpacing()[0])) + 1] * 3
    return sitk.ConstantPad(image, margin, margin)


def _tissue_mm3(image: sitk.Image) -> float:
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(image) > TISSUE)) * float(np.prod(image.GetSpacing()))


def _within(image: sitk.Image, distance_mm: float) -> sitk.Image:
    """Where an image shows tissue, and up to that distance from it."""
    return sitk.SignedMaurerDistanceMap(image > TISSUE, squaredDistance=False, useImageSpacing=True) <= distance_mm
