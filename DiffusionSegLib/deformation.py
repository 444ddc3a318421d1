"""The smooth deformation between two scans that an affine has aligned, by local correlation of intensities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from DiffusionSegLib.axis_products import gaussian, interpolation, multiplied_along_axes, window_mean

# What a step of the finest level takes, in iterations of an affine.
STEP_OF_FINEST = 32


@dataclass(frozen=True)
class Level:
    """How places are found among voxels of some size.

    Args:
        factor: edge of the voxels, in those of the images.
        steps: how many steps are taken.
        window: edge of the windows within which intensities are correlated, in voxels of the level.
        roughness_weight: what displacements may differ from their neighbours'.
    """

    factor: int
    steps: int
    window: int
    roughness_weight: float

    @property
    def work(self) -> int:
        """What a step takes, in iterations of an affine."""
        return -(-STEP_OF_FINEST // self.factor**3)


# Labels of one person moved onto another and back by way of the template (27 structures, voxels of 1 mm): 75.0 % Dice.
# Without the finest level 69.3 %; its window of 11 voxels in place of 31 took 3 points, of 21 voxels 0.5, of 41 none;
# its weight of the roughness of 0.1 takes 0.3, of 0.5 takes 0.1. Twice the steps gain nothing.
LEVELS = (Level(8, 20, 7, 2.0), Level(4, 20, 7, 2.0), Level(2, 10, 7, 2.0), Level(1, 12, 31, 0.2))
MOST_WORK = sum(level.steps * level.work for level in LEVELS)
# Displacements and correlations are smooth: a point for every second voxel along each axis costs a third of the time,
# and changes the Dice of moved labels by less than 0.1 points.
EVERY = 2
# In points.
SMOOTHING, SMOOTHING_REACH = 0.5, 2
STEP_VOXELS = 0.3
# Images with fewer voxels along an axis have nothing to place.
FEWEST_VOXELS = 7
# Air is nearly 0; noise in it must not count as structure.
TISSUE = 0.02
VARIANCE_FLOOR = 1e-4


def find_deformation(still: Tensor, moving: Tensor, places: Tensor, on_step: Callable[[int], None]) -> Tensor:
    """Better places (3, I, J, K) in one image for the voxels of another: those that look alike.

    Coarse to fine, Adam minimises the negative squared local correlation (Avants et al. 2008, section 2) plus the
    squared differences between neighbouring displacements.

    Args:
        still: intensities from 0 to 1, float32 (I, J, K); air is 0.
        moving: the other image, whose voxels have the same size. It is interpolated once: after an affine's own
            interpolation, labels moved with it reached one point of Dice less.
        places: where the voxels of `still` roughly lie in it, in its voxels, (3, I, J, K).
        on_step: told at every step what that takes, MOST_WORK in all; what it raises stops the work.
    """
    shift, coarser = torch.zeros(3, 1, 1, 1, device=still.device), 1
    for level in LEVELS:
        factor, middle = level.factor, (level.factor - 1) / 2
        if min(*still.shape, *moving.shape) < FEWEST_VOXELS * factor:
            continue
        fixed, other = (_coarse(image[None], factor) for image in (still, moving))
        begin = (_at(places, factor * _identity(fixed.shape[1:], still.device) + middle) - middle) / factor
        points = factor * _points(fixed.shape[1:], still.device) + middle
        start = _at(shift, (points - (coarser - 1) / 2) / coarser) * (coarser / factor)
        shift, coarser = _better_shift(fixed, other, begin, start, level, on_step), factor
    everywhere = _identity(still.shape, still.device)
    return places + coarser * _at(shift, (everywhere - (coarser - 1) / 2) / coarser)


def _coarse(image: Tensor, factor: int) -> Tensor:
    return F.avg_pool3d(image, factor, ceil_mode=True, count_include_pad=False) if factor > 1 else image


def _better_shift(
    still: Tensor, moving: Tensor, begin: Tensor, start: Tensor, level: Level, on_step: Callable[[int], None]
) -> Tensor:
    """What to add to `begin` for each voxel of a level, from `start`, what is to be added at its points so far."""
    similarity, device = _LocalCorrelation(still, level.window), still.device
    between = [interpolation(size, EVERY, device) for size in still.shape[1:]]
    smoothing = [gaussian(size, SMOOTHING, SMOOTHING_REACH, device) for size in start.shape[1:]]
    # What is done with the few points need not be done with all voxels.
    grid, in_grid = _grid(begin, moving.shape[1:]), _grid_units(moving.shape[1:], device)
    update = torch.zeros_like(start, requires_grad=True)
    optimizer = torch.optim.Adam([update], lr=STEP_VOXELS)
    for _ in range(level.steps):
        on_step(level.work)
        at_points = start + multiplied_along_axes(update, smoothing)
        moved = _sampled(moving, grid + multiplied_along_axes((in_grid * at_points).flip(0), between))
        loss = level.roughness_weight * _roughness(at_points) - similarity(moved)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return multiplied_along_axes(start + multiplied_along_axes(update, smoothing), between).detach()


class _LocalCorrelation:
    """Mean over the tissue of the squared correlation within a window around every so many voxels."""

    def __init__(self, still: Tensor, window: int) -> None:
        self.windows = [window_mean(size, window, still.device, EVERY) for size in still.shape[1:]]
        self.still = still
        self.tissue = (still > TISSUE).float()[:, EVERY // 2 :: EVERY, EVERY // 2 :: EVERY, EVERY // 2 :: EVERY]
        self.mean, of_square = self._means(torch.cat([still, still.square()])).split(1)
        self.variance = (of_square - self.mean.square()).clamp(min=0)

    def __call__(self, moved: Tensor) -> Tensor:
        mean, of_square, of_product = self._means(torch.cat([moved, moved.square(), self.still * moved])).split(1)
        variance = (of_square - mean.square()).clamp(min=0)
        covariance = of_product - self.mean * mean
        correlation = covariance.square() / (self.variance * variance + VARIANCE_FLOOR)
        return (correlation * self.tissue).sum() / self.tissue.sum().clamp(min=1)

    def _means(self, images: Tensor) -> Tensor:
        return multiplied_along_axes(images, self.windows)


def _roughness(at_points: Tensor) -> Tensor:
    """Squared differences of displacements between neighbouring voxels, from those at points."""
    differences = [at_points.diff(dim=axis).square().mean() for axis in (1, 2, 3)]
    return torch.stack(differences).sum() / EVERY**2


def _points(shape: Sequence[int], device: torch.device) -> Tensor:
    """Where the points lie among voxels."""
    return EVERY * _identity([-(-size // EVERY) for size in shape], device) + (EVERY - 1) / 2


def _identity(shape: Sequence[int], device: torch.device) -> Tensor:
    steps = [torch.arange(size, device=device, dtype=torch.float32) for size in shape]
    return torch.stack(torch.meshgrid(*steps, indexing="ij"))


def _at(images: Tensor, places: Tensor) -> Tensor:
    """Images (C, I, J, K) at places (3, ...) in their voxels; beyond the edge, what is there."""
    return _sampled(images, _grid(places, images.shape[1:]))


def _grid(places: Tensor, shape: Sequence[int]) -> Tensor:
    """Places (3, ...) in the voxels of images of that shape as torch's sampling counts them, last axis first."""
    return (_grid_units(shape, places.device) * places - 1).flip(0)


def _grid_units(shape: Sequence[int], device: torch.device) -> Tensor:
    return 2 / torch.tensor(shape, device=device).sub(1).clamp(min=1).reshape(3, 1, 1, 1)


def _sampled(images: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(images[None], grid.movedim(0, -1)[None], padding_mode="border", align_corners=True)[0]
