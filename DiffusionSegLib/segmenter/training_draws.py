"""What the ensemble learns from, and what of it in which step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.learning_members import MemberBatches


@dataclass(frozen=True, eq=False)
class TrainingVoxels:
    """Annotated voxels and their features.

    Args:
        features: float32 or float16, shape (N, features).
        classes: class numbers from 0, shape (N,).
        points: voxel indices, shape (N, 3).
        activations: how many of the features, the first ones, come from denoisers.
    """

    features: Tensor
    classes: Tensor
    points: Tensor
    activations: int


class TrainingDraws:
    """Which voxels each member learns from in a step, and which activations it sees of them.

    Args:
        learnt: rows to draw from.
        voxels: what they are rows of.
        classes: number of classes.
        config: number of members, size of a batch, balance of the classes, share of the hidden activations.
        random: draws them.
    """

    def __init__(
        self,
        learnt: Tensor,
        voxels: TrainingVoxels,
        classes: int,
        config: EnsembleConfig,
        random: torch.Generator,
    ) -> None:
        self.learnt, self.config, self.random, self.activations = learnt, config, random, voxels.activations
        self.features = voxels.features.shape[1]
        self.seen = round(voxels.activations * (1 - config.feature_dropout))
        of_learnt = voxels.classes[learnt]
        self.by_class, self.counts = of_learnt.argsort(stable=True), torch.bincount(of_learnt, minlength=classes)
        self.starts = self.counts.cumsum(0) - self.counts
        # A class is drawn, then one of its voxels: drawing by a weight for each voxel took a tenth of all training.
        self.sums = torch.where(self.counts > 0, self.counts.double().pow(config.balance), 0).cumsum(0)

    def of_steps(self, steps: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Rows (steps, members, batch) and how much their features count (steps, members, features, 1).

        Hidden activations count nothing, those that are seen make up for them, and all other features count once.
        """
        members = self.config.members
        places = torch.rand(2, steps, members, self.config.batch, generator=self.random, dtype=torch.float64)
        drawn = torch.searchsorted(self.sums, places[0] * self.sums[-1], right=True)
        found = self.by_class[self.starts[drawn] + (places[1] * self.counts[drawn]).long()]
        order = torch.rand(steps, members, self.activations, generator=self.random).argsort(-1)
        counts = torch.ones(steps, members, self.features)
        counts[..., : self.activations] = 0
        if self.seen:
            counts.scatter_(-1, order[..., : self.seen], self.activations / self.seen)
        return self.learnt[found].to(device), counts[..., None].to(device)

    def batches(self, features: Tensor, targets: Tensor, rows: Tensor, counts: Tensor) -> MemberBatches:
        """The batches of a step of some of the members, of rows (members, batch), whose features count so much."""
        chosen = rows.flatten()
        # Half of the time of indexing by brackets.
        drawn = features.index_select(0, chosen).unflatten(0, rows.shape)
        if drawn.dtype == torch.float16:
            drawn = drawn.float()
        return MemberBatches(drawn, counts, targets.index_select(0, chosen).view(*rows.shape, 1))
