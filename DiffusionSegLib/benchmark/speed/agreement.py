"""How far our logits agree with the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DiffusionSegLib.benchmark.speed.our_path import fast_logits
from DiffusionSegLib.benchmark.speed.published import FullFeatures, full_logits
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble, mean_probabilities


@dataclass(frozen=True)
class Agreement:
    """How far two ways agree on the same voxels.

    Args:
        logit_difference: the largest.
        largest_logit: to hold it against.
        equal_labels: share of the voxels.
    """

    logit_difference: float
    largest_logit: float
    equal_labels: float


def agreements(
    full: FullFeatures,
    ways: Sequence[OrthogonalFeatures],
    ensemble: MlpEnsemble,
    networks: Sequence[nn.Sequential],
) -> list[Agreement]:
    """How each of our ways agrees with the published one on all tissue, of which a slab's logits are held at a time.

    Args:
        full: the published features of every voxel.
        ways: our features of the same voxels, standardised alike.
        ensemble: what has learnt.
        networks: its members, apart.
    """
    tissue = torch.from_numpy(ways[0].tissue).flatten(1)
    published = full_logits(full, ways[0], networks, at_a_time=tissue.shape[1])
    ours = [fast_logits(features, ensemble) for features in ways]
    slabs: list[list[tuple[float, float, int]]] = [[] for _ in ways]
    for inside, expected, *found in zip(tissue, published, *ours, strict=True):
        # Ours are found for no slice without tissue.
        if inside.any():
            for of_way, logits in zip(slabs, found, strict=True):
                of_way.append(_held_against(logits[:, inside], expected[:, inside]))
    return [_of_all(of_way, int(tissue.sum())) for of_way in slabs]


def _held_against(found: Tensor, expected: Tensor) -> tuple[float, float, int]:
    """The largest difference, the largest logit, and how many labels are equal."""
    same = mean_probabilities(found).argmax(1) == mean_probabilities(expected).argmax(1)
    return float((found - expected).abs().max()), float(expected.abs().max()), int(same.sum())


def _of_all(slabs: Sequence[tuple[float, float, int]], voxels: int) -> Agreement:
    differences, largest, equal = zip(*slabs, strict=True)
    return Agreement(max(differences), max(largest), sum(equal) / voxels)
