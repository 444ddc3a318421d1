"""The shape and the training of the ensemble."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EnsembleConfig:
    """The shape and the training of the ensemble (Cho et al., section 3.1).

    Args:
        members: number of MLPs.
        hidden: widths of the two hidden layers.
        batch: voxels a step and member.
        steps: largest number of steps.
        learning_rate: the peak of a one-cycle schedule.
        weight_decay: AdamW's.
        activation_axes: the activations are learnt along so many directions in which they differ most; 0 for all.
        feature_dropout: share of the activations hidden from a member in a step.
        balance: 1 draws voxels as they come, 0 all classes alike, values between temper the imbalance.
        held_out: share of the annotated neighbourhoods that only tell when to stop.
        patience: checks without an improvement on them before stopping.
        check_every: steps between checks.
        voxels_per_class: no structure keeps more annotated voxels than this, nor the background near to structures.
        far_voxels: how many voxels of the background far from all structures are kept at least, if there are so many.
        far_share: how many of them are kept for each voxel near to structures, where that is more.
        mirrored: whether annotated voxels are also learnt as they would be in the mirror, where the labels' names tell
            left from right and the bundle's template is symmetric.
    """

    members: int = 10
    hidden: tuple[int, int] = (64, 64)
    batch: int = 768
    steps: int = 2400
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    activation_axes: int = 32
    feature_dropout: float = 0.8
    balance: float = 0.7
    held_out: float = 0.1
    patience: int = 8
    check_every: int = 100
    voxels_per_class: int = 200_000
    far_voxels: int = 20_000
    far_share: float = 1.25
    mirrored: bool = True
