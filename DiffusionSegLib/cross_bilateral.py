"""What voxels are like, settled with neighbours that are as bright: a cross bilateral filter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from DiffusionSegLib.box import Box, lacking

# Standard deviations of the two Gaussians: of the distance in voxels, and of the difference between intensities from
# -1 to 1. From nine slices and from a volume, on other people and on the rest of the same scan, 0.06 to 0.16 are worth
# as much, and so are a reach of two voxels or filtering twice. However bright the neighbours are (a Gaussian alone),
# other people lose up to half a point of Dice. In the rest of a CT of the torso (41 structures, voxels of 3 mm, random
# weights) 0.1 is best, too: 1.5 points more than without, where 0.01 and 1 gain 0.9.
NEAR, ALIKE = 1.0, 0.1
REACH = 1
OFFSETS = tuple(itertools.product(range(2 * REACH + 1), repeat=3))


def cross_bilateral(values: Tensor, intensities: Tensor, counted: Tensor, box: Box, shape: tuple[int, ...]) -> Tensor:
    """Values (c, i, j, k) of the voxels of a box as means over their neighbours, the nearer and more alike the heavier.

    Beyond the edges of the crop lies what lies at them (Tomasi & Manduchi 1998, equation 5, with the weights of another
    image as in Petschnigg et al. 2004, equation 3).

    Args:
        values: of the box as far as the filter reaches beyond it, where there is more of the crop.
        intensities: of the same voxels, (channels, ...), from -1 to 1.
        counted: which of the same voxels means are taken over, bool; the others keep their values.
        box: where it lies in a crop.
        shape: the crop's.
    """
    values, intensities, heaviness = (
        _framed(image, box, shape) for image in (values, intensities, counted[None].to(values))
    )
    inner = tuple(stop - start for start, stop in box)
    middle = (slice(None), *(slice(REACH, REACH + edge) for edge in inner))
    own = intensities[middle]
    total, weights = values.new_zeros(len(values), *inner), values.new_zeros(inner)
    for nearness, part in _neighbours(inner):
        alikeness = torch.exp((intensities[part] - own).square().sum(0) / (-2 * ALIKE**2))
        weight = alikeness.mul_(heaviness[part][0]).mul_(nearness)
        total.addcmul_(values[part], weight)
        weights += weight
    return torch.where(heaviness[middle] > 0, total.div_(weights), values[middle])


def _framed(images: Tensor, box: Box, shape: tuple[int, ...]) -> Tensor:
    """With what lies at the edges of the crop beyond them, too."""
    missing = lacking(box, REACH, shape)
    return torch.nn.functional.pad(images[None], missing, mode="replicate")[0] if any(missing) else images


def _neighbours(inner: tuple[int, ...]) -> Iterator[tuple[float, tuple[slice, ...]]]:
    """How much each neighbour's distance makes it weigh, and where these neighbours of all voxels are."""
    for offset in OFFSETS:
        squared = sum((along - REACH) ** 2 for along in offset)
        around = (slice(along, along + edge) for along, edge in zip(offset, inner, strict=True))
        yield math.exp(-squared / (2 * NEAR**2)), (slice(None), *around)
