"""Features of voxels from the slices of three orthogonal views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.diffusion.slice_source import View
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig, Fusion
from DiffusionSegLib.features.kept_views import KeptViews
from DiffusionSegLib.features.local_features import absolute_features, local_features, local_images
from DiffusionSegLib.placement import Placement
from DiffusionSegLib.progress import Progress, silent

# Parts of features that stay in the cache: a fifth faster than 16 384 voxels at a time.
GATHER_CHUNK = 1024
STATISTICS_VOXELS = 20_000
# Where a template shows next to nothing of a scan, all tissue that there is says how features are scaled.
FEWEST_OF_CORE = 1000
# A margin of air around the tissue keeps the images' edges away from it.
CROP_MARGIN = 8


@dataclass(frozen=True, eq=False)
class OrthogonalFeatures:
    """What is known of every voxel of a scan, without a full-size feature volume.

    A voxel's features are, in this order: the activations of the views, fused, then those that need no denoiser.

    Args:
        config: which features these are.
        origin: where the crop around the tissue begins on the model's grid.
        tissue: which voxels of the crop are not air, bool of shape (I, J, K).
        views: the views' activations over the crop.
        local: what intensities and positions are made from, float16 of shape (number, I, J, K).
        typical: voxels (N, 3) of the crop that say how features are scaled.
        mean: mean of each feature over these; 0 for positions in the template.
        spread: standard deviation of each feature over the same, larger for activations, as they weigh less; 1 for
            positions in the template.
        likeness: how much the scan looks like the template, at most 1; None without a template.
        flipped: the axes of RAS order along which the scan must be flipped to lie as the template does.
        part: which voxels of the crop lie in what the template shows, bool (I, J, K); None where nearly all do,
            or where it was not found.
    """

    config: FeatureConfig
    origin: tuple[int, int, int]
    tissue: np.ndarray
    views: tuple[ViewActivations, ...]
    local: Tensor
    typical: Tensor
    mean: Tensor
    spread: Tensor
    likeness: float | None = None
    flipped: tuple[int, ...] = ()
    part: np.ndarray | None = None

    @classmethod
    def extract(
        cls,
        volume: np.ndarray,
        tissue: np.ndarray,
        extractor: ActivationExtractor,
        spacing_mm: float,
        progress: Progress = silent,
        placement: Placement | None = None,
        kept: KeptViews | None = None,
    ) -> OrthogonalFeatures:
        """Features of a normalised volume (channels, I, J, K) whose `tissue` (I, J, K) is not air.

        Its `placement` in the template is needed where the configuration wants positions. Views of it that are `kept`
        are not computed again.
        """
        low, high = tissue_box(tissue)
        box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
        crop, inside = volume[(slice(None), *box)], tissue[box]
        views = tuple(extractor.extract(crop, inside, progress, kept))
        places, part, core = None, None, inside
        if placement is not None:
            places = placement.positions[(slice(None), *box)]
            part = None if placement.part is None else placement.part[box]
            core = inside if placement.core is None else inside & placement.core[box]
        return cls(
            config=extractor.config,
            origin=low,
            tissue=inside,
            views=views,
            local=local_images(crop, inside, places, extractor.config, spacing_mm),
            typical=_drawn(core, inside if part is None else inside & part),
            mean=torch.zeros(1),
            spread=torch.ones(1),
            likeness=placement.likeness if placement else None,
            flipped=placement.flipped if placement else (),
            part=part,
        )._standardised()

    def within_part(self) -> OrthogonalFeatures:
        """The same, with tissue in what the template shows alone."""
        return self if self.part is None else replace(self, tissue=self.tissue & self.part)

    def fused_as(self, views: Sequence[View], fusion: Fusion) -> OrthogonalFeatures:
        """The features of some of the views, or fused in another way, as `extract` would find them."""
        chosen = tuple(self.views[self.config.views.index(view)] for view in views)
        config = replace(self.config, views=tuple(views), fusion=fusion)
        return replace(self, config=config, views=chosen, mean=torch.zeros(1), spread=torch.ones(1))._standardised()

    def _standardised(self) -> OrthogonalFeatures:
        """The same with mean and spread, where so far these change nothing."""
        spread, mean = torch.std_mean(self.at(self.typical), dim=0)
        if not mean.isfinite().all():
            message = "The denoiser makes no numbers of this scan."
            raise DiffusionSegError(message, "Compute on the CPU, or choose another model bundle.")
        spread = spread.clamp(min=1e-4)
        spread[: self.view_channels] *= (self.view_channels / self.config.activation_weight) ** 0.5
        absolute = len(spread) - absolute_features(self.config)
        mean[absolute:], spread[absolute:] = 0, 1
        return replace(self, mean=mean, spread=spread)

    @property
    def view_channels(self) -> int:
        """Features that come from the views."""
        channels = self.views[0].channels
        return channels * len(self.views) if self.config.fusion == "concat" else channels

    @property
    def finest_reduction(self) -> int:
        """Edge in voxels of the pixels of the level that has most of them."""
        return min(self.views[0].levels)

    def at(self, points: Tensor) -> Tensor:
        """Features (N, features) at voxels `points` (N, 3) of the crop, standardised by this scan's own typical ones.

        Each scan is standardised by itself, so that a segmenter meets other people's features at the scale it learnt.
        """
        found = torch.cat([self._at(part) for part in points.split(GATHER_CHUNK)])
        return (found - self.mean) / self.spread

    def _at(self, points: Tensor) -> Tensor:
        if self.config.fusion == "concat":
            fused = torch.cat([view.at(points) for view in self.views], dim=1)
        else:
            fused = self.views[0].at(points)
            for view in self.views[1:]:
                other = view.at(points)
                fused = fused.add_(other) if self.config.fusion == "sum" else torch.maximum(fused, other, out=fused)
        beside = self.local[:, points[:, 0], points[:, 1], points[:, 2]]
        return torch.cat([fused, local_features(beside, self.config)], dim=1)


def _drawn(core: np.ndarray, tissue: np.ndarray) -> Tensor:
    """Voxels (N, 3) of the core or, where that is next to nothing, of all tissue, bool (I, J, K) each."""
    # How much fluid, skull and skin a scan shows would change the scale of what lies within. What was learnt from one
    # person's brain found 52.7 and 68.9 % Dice in two others' heads, made from label maps, by all tissue near to the
    # brain, and 80.9 and 83.6 % by its core; in their brains alone it found 84.1 and 89.6 %.
    found = np.flatnonzero(core)
    if len(found) < FEWEST_OF_CORE:
        found = np.flatnonzero(tissue)
    chosen = found[np.random.default_rng(0).permutation(len(found))[:STATISTICS_VOXELS]]
    return torch.from_numpy(np.stack(np.unravel_index(chosen, tissue.shape), axis=1))


def tissue_box(tissue: np.ndarray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First and one-past-last corner of the tissue with its margin, within the grid."""
    edges = np.array(bounding_box(tissue))
    low = np.maximum(edges[:, 0] - CROP_MARGIN, 0)
    high = np.minimum(edges[:, 1] + CROP_MARGIN, tissue.shape)
    return (int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2]))
