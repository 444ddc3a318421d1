"""Our training beside that of the same networks one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.benchmark.speed.cost import Cost, measured_in_turn
from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.published import train_in_turn
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

REPEATS = 3


@dataclass(frozen=True)
class TrainingComparison:
    """What both ways to train an ensemble cost.

    Args:
        steps: of either.
        ours: cost of our way.
        in_turn: cost of training the members one after the other.
    """

    steps: int
    ours: Cost
    in_turn: Cost

    @property
    def speedup(self) -> float:
        return self.in_turn.seconds / self.ours.seconds


def compare_training(voxels: TrainingVoxels, classes: int, ours: OurPath) -> tuple[MlpEnsemble, TrainingComparison]:
    """The ensemble that our way makes, and how long both ways take to make one."""
    (ensemble, _), (our_cost, in_turn) = measured_in_turn(
        (lambda: ours.train(voxels, classes), lambda: train_in_turn(voxels, classes, ours.ensemble, ours.device)),
        ours.device,
        REPEATS,
    )
    return ensemble, TrainingComparison(ours.ensemble.steps, our_cost, in_turn)
