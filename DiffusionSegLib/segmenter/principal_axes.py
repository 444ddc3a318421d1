"""The few directions in which a scan's activations differ most: what the ensemble learns of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

STATISTICS_VOXELS = 20_000
# Directions of first layers that are weaker than the strongest by this are what single precision rounds by.
NOTHING = 1e-6
# Voxels whose activations are in single precision at a time.
CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Orthonormal directions in the space of the activations.

    MLPs that learn what the activations are along them are, as their first layers are linear, MLPs of the activations
    themselves: nothing but the learning knows of these directions.

    Args:
        axes: shape (activations, directions).
    """

    axes: Tensor

    @classmethod
    def of(cls, voxels: TrainingVoxels, count: int) -> PrincipalAxes:
        """The `count` directions of largest variance over the voxels."""
        _, axes = torch.linalg.eigh(_covariance(voxels))
        return cls(axes[:, -count:].flip(1).float())

    @classmethod
    def that_matter_to(cls, ensemble: MlpEnsemble, voxels: TrainingVoxels) -> PrincipalAxes:
        """All directions by which the first layers tell activations apart, turned to the voxels' principal axes.

        Of the voxels that the ensemble learnt along their principal axes these are the same axes again.
        """
        weights = ensemble.weights[0][:, : voxels.activations].detach().cpu().double().transpose(0, 1).flatten(1)
        directions, strengths, _ = torch.linalg.svd(weights, full_matrices=False)
        span = directions[:, strengths > NOTHING * strengths[0]]
        _, turned = torch.linalg.eigh(span.T @ _covariance(voxels) @ span)
        return cls((span @ turned.flip(1)).float())

    def along(self, voxels: TrainingVoxels) -> TrainingVoxels:
        """The voxels with their activations along these directions instead."""
        axes, directions = self.axes.to(voxels.features.device), self.axes.shape[1]
        features = voxels.features.new_empty(
            len(voxels.features), directions + voxels.features.shape[1] - voxels.activations
        )
        features[:, directions:] = voxels.features[:, voxels.activations :]
        for rows, part in zip(voxels.features.split(CHUNK), features.split(CHUNK), strict=True):
            part[:, :directions] = rows[:, : voxels.activations].float() @ axes
        return replace(voxels, features=features, activations=directions)

    def narrowed(self, ensemble: MlpEnsemble) -> MlpEnsemble:
        """An ensemble of activations as one of what they are along these directions."""
        activations, others = ensemble.weights[0].tensor_split([len(self.axes)], dim=1)
        return ensemble.with_first_weights(torch.cat([self.axes.to(activations).T @ activations, others], dim=1))

    def widened(self, ensemble: MlpEnsemble) -> MlpEnsemble:
        """An ensemble that learnt along these directions as one of the activations themselves: the same outputs."""
        along, others = ensemble.weights[0].tensor_split([self.axes.shape[1]], dim=1)
        return ensemble.with_first_weights(torch.cat([self.axes.to(along) @ along, others], dim=1))


def _covariance(voxels: TrainingVoxels) -> Tensor:
    every = math.ceil(len(voxels.features) / STATISTICS_VOXELS)
    activations = voxels.features[::every, : voxels.activations].double()
    # Of activations that are no numbers nothing can be learnt, along any direction.
    return activations.T.cov().nan_to_num()
