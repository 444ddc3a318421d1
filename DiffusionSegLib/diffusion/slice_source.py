"""Random slices of volumes held in memory: what the denoiser is pretrained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.bounding_box import bounding_box

# Slice axis of each view on a grid in RAS order; a view's number is what a shared denoiser is told.
View = Literal["sagittal", "coronal", "axial"]
VIEWS: tuple[View, ...] = ("sagittal", "coronal", "axial")
VIEW_AXES: dict[View, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


class SliceSource:
    """Draws square crops of slices, all views alike.

    Args:
        volumes: arrays of shape (channels, I, J, K) on the model's grid, any type (kept as they are).
        outside: what lies beyond the volumes' edges, and where the first channel shows no tissue.
    """

    def __init__(self, volumes: Sequence[np.ndarray], *, outside: float) -> None:
        self.volumes = [torch.from_numpy(np.ascontiguousarray(volume)) for volume in volumes]
        self.outside = outside
        self._extents = [bounding_box((volume[0] != outside).numpy()) for volume in self.volumes]

    def draw(self, count: int, size: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Crops (count, channels, size, size) with their views (count,), through tissue rather than air."""
        views = random.integers(len(VIEWS), size=count)
        crops = [self._crop(int(random.integers(len(self.volumes))), int(view), size, random) for view in views]
        return torch.stack(crops), torch.from_numpy(views)

    def _crop(self, index: int, view: int, size: int, random: np.random.Generator) -> Tensor:
        volume, extent = self.volumes[index], self._extents[index]
        position = int(random.integers(*extent[view]))
        image = volume.select(view + 1, position)
        crop = torch.full((volume.shape[0], size, size), self.outside, dtype=volume.dtype)
        source, target = [slice(None)], [slice(None)]
        for axis, (low, high) in enumerate(extent[:view] + extent[view + 1 :]):
            # A crop lies within the tissue where the tissue is larger, and holds all of it where it is smaller.
            slack = high - low - size
            start = low + (int(random.integers(slack + 1)) if slack >= 0 else -int(random.integers(-slack + 1)))
            begin, end = max(start, 0), min(start + size, image.shape[axis + 1])
            source.append(slice(begin, end))
            target.append(slice(begin - start, end - start))
        crop[tuple(target)] = image[tuple(source)]
        return crop
