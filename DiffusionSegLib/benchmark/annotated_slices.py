"""Slices of an annotated scan as training batches of a 2D network."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from DiffusionSegLib.annotation import UNKNOWN
from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.diffusion.augmentation import AugmentationConfig, recoloured
from DiffusionSegLib.normalisation import AIR

# Slices that only show background are many and easy: they fill no more than this share of a batch.
BACKGROUND_SHARE = 0.25
ROTATION_DEGREES, ZOOM = 15.0, 0.15
# Smooth deformation: so many control points along each edge, moved by up to so many pixels.
CONTROL_POINTS, DEFORMATION_PIXELS = 5, 5.0
CHANGES = AugmentationConfig()


class AnnotatedSlices:
    """Draws crops of slices across all three axes, alike.

    Args:
        image: normalised intensities (I, J, K).
        tissue: which voxels are not air; air is background for every method, and not learnt.
        classes: class numbers of the same shape, -1 where nothing is known.
        background: whether slices count that show no structure, or are known in part only.
    """

    def __init__(self, image: np.ndarray, tissue: np.ndarray, classes: np.ndarray, *, background: bool) -> None:
        classes = np.where(tissue, classes, UNKNOWN)
        self.image, self.classes = torch.from_numpy(image), torch.from_numpy(classes)
        self.extent = bounding_box(tissue)
        known, structures = classes != UNKNOWN, classes > 0
        self.painted, self.others = [], []
        for axis, (low, high) in enumerate(self.extent):
            for index in range(low, high):
                complete = known.take(index, axis)[tissue.take(index, axis)].all()
                if complete and structures.take(index, axis).any():
                    self.painted.append((axis, index))
                elif background and known.take(index, axis).any():
                    self.others.append((axis, index))

    def draw(self, count: int, size: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (count, 1, size, size) and their classes (count, size, size), moved and recoloured."""
        few = round(count * BACKGROUND_SHARE) if self.others else 0
        chosen = [self.others[number] for number in _drawn(few, len(self.others), random)]
        chosen += [self.painted[number] for number in _drawn(count - few, len(self.painted), random)]
        images = torch.full((count, 1, size, size), AIR)
        classes = torch.full((count, 1, size, size), float(UNKNOWN))
        for row, (axis, index) in enumerate(chosen):
            self._crop(images[row, 0], classes[row, 0], axis, index, random)
        places = _moved_places(count, size, random)
        moved = F.grid_sample(images, places, padding_mode="border", align_corners=False)
        # Beyond the crop nothing is known.
        known = F.grid_sample(classes - UNKNOWN, places, mode="nearest", align_corners=False) + UNKNOWN
        return recoloured(moved.clamp(-1, 1), CHANGES, random), known[:, 0].long()

    def _crop(self, image: Tensor, classes: Tensor, axis: int, index: int, random: torch.Generator) -> None:
        """Fill a crop that lies anywhere within the tissue, or around it where it is smaller."""
        source, target = [], []
        for low, high in (self.extent[other] for other in range(3) if other != axis):
            slack = high - low - len(image)
            shift = int(torch.randint(abs(slack) + 1, (), generator=random))
            start = low + (shift if slack > 0 else -shift)
            begin, end = max(start, low), min(start + len(image), high)
            source.append(slice(begin, end))
            target.append(slice(begin - start, end - start))
        image[tuple(target)] = self.image.select(axis, index)[tuple(source)]
        classes[tuple(target)] = self.classes.select(axis, index)[tuple(source)].float()


def _drawn(count: int, number: int, random: torch.Generator) -> list[int]:
    drawn: list[int] = torch.randint(number, (count,), generator=random).tolist() if count else []
    return drawn


def _moved_places(count: int, size: int, random: torch.Generator) -> Tensor:
    """Where to sample from: rotated, zoomed and smoothly deformed, (count, size, size, 2)."""
    turn = (2 * torch.rand(count, generator=random) - 1) * math.radians(ROTATION_DEGREES)
    zoom = torch.exp((2 * torch.rand(count, generator=random) - 1) * ZOOM)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = zoom * turn.cos(), -zoom * turn.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = zoom * turn.sin(), zoom * turn.cos()
    places = F.affine_grid(matrix, [count, 1, size, size], align_corners=False)
    shifts = 2 * torch.rand(count, 2, CONTROL_POINTS, CONTROL_POINTS, generator=random) - 1
    smooth = F.interpolate(shifts, size=(size, size), mode="bicubic", align_corners=True)
    return places + smooth.permute(0, 2, 3, 1) * (2 * DEFORMATION_PIXELS / size)
