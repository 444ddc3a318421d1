"""Heads made from the label maps of real people, in the contrast of T1, so that their brains are known."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.reading import read_labelmap

# What is no brain begins here, but for the fluid around it.
NO_BRAIN, FLUID = 200, 24
# Of fluids, grey and white matter, and of what lies around the brain: air, bone, marrow, skin and the like.
DARK = (4, 5, 14, 15, 43, 44, FLUID, 72)
BRIGHT = (2, 7, 16, 28, 41, 46, 60, 85)
AROUND = {202: 0.02, 206: 0.25, 208: 0.4, 209: 0.5, 211: 0.7, 214: 0.3, 215: 0.06, 216: 0.7}


def made_head(labelmap: Path) -> tuple[np.ndarray, np.ndarray]:
    """A head on a grid of 1 mm, intensities from 0 to 1, (I, J, K), and which of its voxels are brain."""
    labels, grid = read_labelmap(labelmap)
    labels = ModelGrid.for_grid(grid, 1.0).labels_to_model(labels).astype(int)
    brightness = np.full(labels.max() + 1, 0.55)
    brightness[np.asarray(DARK)], brightness[np.asarray(BRIGHT)], brightness[0] = 0.15, 0.75, 0
    for value, of_value in AROUND.items():
        brightness[value] = of_value
    random = np.random.default_rng(0)
    # Fat and muscle share a label.
    spots = ndimage.gaussian_filter(random.standard_normal(labels.shape), 4)
    image = brightness[labels] + 0.04 * random.standard_normal(labels.shape)
    image += np.where(labels == 207, 0.2 * spots / spots.std(), 0)
    image = ndimage.gaussian_filter(image, 0.6).clip(0.01, 1) * (labels > 0)
    return image.astype(np.float32), (labels > 0) & (labels < NO_BRAIN) & (labels != FLUID)
