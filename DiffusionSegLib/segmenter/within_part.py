"""Whether structures lie in that part of a scan which the template shows."""

from __future__ import annotations

import numpy as np
import torch

from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.scan_doubts import LEAST_LIKENESS
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

# Of the brains in two heads that were made from label maps, less than 0.1 % of the voxels lay beyond it.
FEW = 0.02


def learnt_within_part(features: OrthogonalFeatures, voxels: TrainingVoxels, values: tuple[int, ...]) -> bool:
    """Whether what the voxels of a scan are of lies in what the bundle's template shows, as far as that is known."""
    if features.part is not None:
        return lie_within(voxels, values.index(0) if 0 in values else None, features.part)
    return features.likeness is not None and features.likeness >= LEAST_LIKENESS


def lie_within(voxels: TrainingVoxels, background: int | None, part: np.ndarray) -> bool:
    """Whether of each class but the background next to all voxels lie in the part.

    Args:
        voxels: of one scan, with its own points.
        background: the number of the class that is none of the structures; None if there is none.
        part: bool (I, J, K).
    """
    beyond = ~torch.from_numpy(part)[voxels.points.unbind(1)]
    classes = int(voxels.classes.max()) + 1
    all_of_them, of_them_beyond = (
        torch.bincount(found, minlength=classes) for found in (voxels.classes, voxels.classes[beyond])
    )
    few = of_them_beyond <= FEW * all_of_them
    return all(bool(few[number]) for number in range(classes) if number != background)
