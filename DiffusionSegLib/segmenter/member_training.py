"""The training of the members of an ensemble, step by step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.learning_members import LearningMembers
from DiffusionSegLib.segmenter.training_draws import TrainingDraws


class MemberTraining:
    """All members of an ensemble, with what changes their weights.

    They learn together in one thread. With five members in each of two threads a step took a sixth longer on two cores,
    because Python calls the hundred small operations of a step in one thread at a time.

    Args:
        ensemble: what training starts from; it is left as it is.
        config: the training of the ensemble.
        draws: makes batches.
        features: of the annotated voxels (N, features), on the device that computes, best `lowered`.
        targets: their class numbers (N,).
    """

    def __init__(
        self,
        ensemble: MlpEnsemble,
        config: EnsembleConfig,
        draws: TrainingDraws,
        features: Tensor,
        targets: Tensor,
    ) -> None:
        self.draws, self.features, self.targets = draws, features, targets
        self.network = LearningMembers(ensemble)
        self.optimizer = _adamw(self.network.parameters, config)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, config.learning_rate, total_steps=config.steps
        )
        self._given: list[Tensor] = []

    def learn(self, rows: Tensor, counts: Tensor) -> None:
        """Take some steps, with what is drawn for them (steps, members, ...)."""
        for of_step, count in zip(rows, counts, strict=True):
            self._given.append(self.network.learn(self.draws.batches(self.features, self.targets, of_step, count)))
            self.optimizer.step()
            self.schedule.step()

    def losses(self) -> Tensor:
        """The mean loss of each member (members,) since this was asked last."""
        # A probability may be too small for single precision.
        found = -torch.stack(self._given).clamp(min=1e-30).log().mean((0, 2, 3))
        self._given.clear()
        return found


def _adamw(parameters: Tensor, config: EnsembleConfig) -> torch.optim.AdamW:
    options: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    try:
        # A fifth of the time of an update tensor by tensor.
        return torch.optim.AdamW([parameters], **options, fused=True)
    except RuntimeError:
        # Before torch 2.4 on a GPU alone.
        return torch.optim.AdamW([parameters], **options)
