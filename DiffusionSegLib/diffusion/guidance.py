"""Positions in a template for the images of a pretraining, which the denoiser learns to tell beside the noise.

Positions in the body guide the denoiser in Li et al. as an input; as a second output they cost nothing when features
are taken, and make the features say where in the body they are. No label is involved.
"""

from __future__ import annotations

import numpy as np

from DiffusionSegLib.template import Template


def image_with_positions(image: np.ndarray, template: Template, spacing_mm: float) -> np.ndarray:
    """Channels (C, I, J, K) in [-1, 1] with the three positions of each voxel after them, in half precision."""
    positions = template.positions(image[0], spacing_mm)
    return np.concatenate([image, positions]).astype(np.float16)


def labelmap_with_positions(labelmap: np.ndarray, template: Template, spacing_mm: float) -> np.ndarray:
    """A label map (1, I, J, K) with the three positions of each voxel after it, in half precision.

    A label map has no intensities to align by: each label takes the mean of what the template shows under it, which
    gets better with the alignment.
    """
    labels = labelmap[0].astype(int)
    known = labels > 0
    image = np.where(known, 0.5, -1.0)
    positions = template.positions(image, spacing_mm, deforming=False)
    for deforming in (False, True):
        under = template.at(positions)[known]
        sums = np.bincount(labels[known], under)
        counts = np.bincount(labels[known])
        means = sums / np.maximum(counts, 1)
        positions = template.positions(np.where(known, 2 * means[labels] - 1, -1.0), spacing_mm, deforming=deforming)
    # Label values up to 2048 are exact in half precision.
    return np.concatenate([labelmap, positions]).astype(np.float16)
