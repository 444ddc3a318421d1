"""Whether a scan lies the other way round than its header says: flipped, it then looks more like the template."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.alignment import find_rough_affine, image_of, shrunk
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.template import Template, likeness_of

# Axes of RAS order along which a scan may be the wrong way round. Left and right look alike, so a flip along A is told
# of a scan turned about S, too.
ANTERIOR, SUPERIOR = 1, 2
FLIPS: tuple[tuple[int, ...], ...] = ((ANTERIOR,), (SUPERIOR,), (ANTERIOR, SUPERIOR))
# Along the template's longest edge: 10 mm each for brain-t1, so that a check takes 0.4 to 0.7 s, on busy cores 2 s.
COARSE_VOXELS = 24
# By how much a flip must improve the correlation with the template brain-t1. The best of the three flips, of scans that
# lay right and of the same that were flipped along A, S or both:
#                               right             flipped
#   T1 of 5 people (OASIS)      -0.19 to -0.16    0.15 to 0.29
#   T1, FLAIR, 2 people, MS     -0.19 to -0.14    0.16 to 0.26
#   T2 of the same              -0.08, -0.07      0.09 to 0.18
#   T1 + contrast, 4 tumours    -0.18 to -0.08    0.08 to 0.25
#   FLAIR of the same           -0.15 to -0.11    0.12 to 0.26
# Brains turned by 20 degrees, and two thirds of a brain: at most -0.03. Told although they lie right: the front half of
# one of three brains (0.06) and one of three brains turned by 40 degrees about the left-right axis (0.08).
LEAST_GAIN = 0.06
# What correlates less shows something else than the template: flipped brains reached 0.76 and more when flipped back,
# the best flip of a CT of the torso 0.27.
LEAST_LIKENESS_FLIPPED = 0.6


def seeming_flip(normalised: np.ndarray, spacing_mm: float, template: Template) -> tuple[int, ...]:
    """The axes along which a scan must be flipped to lie as the template does; none if that is right or not to tell.

    Args:
        normalised: the scan (I, J, K) in RAS order, in [-1, 1], where -1 is air.
        spacing_mm: edge of its voxels.
        template: what it is compared with, by intensities on few voxels.
    """
    coarse_mm = max(template.image.shape) * template.spacing_mm / COARSE_VOXELS
    aim = shrunk(template.sitk_image, coarse_mm)
    scan = sitk.GetArrayFromImage(shrunk(image_of((normalised + 1) / 2, spacing_mm), coarse_mm)).T
    as_it_is = _likeness(scan, aim)
    flipped = {axes: _likeness(np.flip(scan, axes), aim) for axes in FLIPS}
    likeliest = max(FLIPS, key=lambda axes: flipped[axes])
    told = flipped[likeliest] > max(as_it_is + LEAST_GAIN, LEAST_LIKENESS_FLIPPED)
    return likeliest if told else ()


def _likeness(scan: np.ndarray, aim: sitk.Image) -> float:
    """How much a scan with the voxels of the template looks like it after an affine, at most 1."""
    image = image_of(scan, aim.GetSpacing()[0])
    try:
        affine = find_rough_affine(image, aim)
    except DiffusionSegError:
        return 0.0
    return likeness_of(scan, sitk.GetArrayFromImage(sitk.Resample(aim, image, affine)).T)
