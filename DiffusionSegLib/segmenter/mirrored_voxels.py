"""Every annotated voxel once more, as it would be in the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import signs_in_a_mirror
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels


def with_mirror_image(
    voxels: TrainingVoxels, values: Sequence[int], partners: Mapping[int, int], config: FeatureConfig
) -> TrainingVoxels:
    """The voxels, then each of them as a voxel of the mirrored scan: nearly what a second annotated person gives.

    Positions change their side, and structures become their partners. The rest stays as it is: intensities and edges
    are the same in a mirror, and activations nearly so, of a denoiser that was trained on mirrored images too. Without
    activations, mirrored voxels gain 0.4 to 4 points of Dice in transfer, as much as those of the mirrored scan with an
    alignment of its own. With activations, computing them from the mirrored scan would gain another point from nine
    slices, and nothing from a whole volume, for two thirds more of the denoiser's work.

    Args:
        voxels: what was annotated, of a scan whose positions are in a symmetric template.
        values: label values by class number, 0 for the background.
        partners: the mirror image of each label value; what has none stays what it is.
        config: what the features are.
    """
    classes = torch.tensor([values.index(partners.get(value, value)) for value in values])
    mirrored = voxels.features * signs_in_a_mirror(voxels.features.shape[1], config).to(voxels.features)
    return TrainingVoxels(
        torch.cat([voxels.features, mirrored]),
        torch.cat([voxels.classes, classes[voxels.classes]]),
        # Under the points that they came from, so that what is held out is not learnt in the mirror.
        torch.cat([voxels.points, voxels.points]),
        voxels.activations,
    )
