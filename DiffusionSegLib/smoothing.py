"""What is found of a tile's voxels, settled with what their neighbours are and what is annotated of these."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.annotation import LARGEST_VALUE, Annotation
from DiffusionSegLib.box import Box, slices_of
from DiffusionSegLib.cross_bilateral import cross_bilateral, with_reach
from DiffusionSegLib.features.local_features import unfiltered
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.model_grid import ModelGrid


class Smoothing:
    """Makes probabilities of tissue means over tissue that is as bright, in which annotated voxels are what they are.

    Where intensities are not among the features, nothing is changed.

    Args:
        features: the scan's.
        model_grid: between the scan's own grid and that of the features.
        values: the label values of the classes.
        annotation: what of the scan is known; None if nothing is. What is no class is passed over.
    """

    def __init__(
        self,
        features: OrthogonalFeatures,
        model_grid: ModelGrid,
        values: tuple[int, ...],
        annotation: Annotation | None = None,
    ) -> None:
        self.tissue, self.origin = features.tissue, features.origin
        self.intensities = unfiltered(features.local, features.config)
        self.model_grid, self.annotation = model_grid, annotation
        # From an annotated value, of which the least is -1, to the class; -1 for what is none.
        self.classes = np.full(LARGEST_VALUE + 2, -1, np.int64)
        self.classes[np.add(values, 1)] = np.arange(len(values))

    def applies_to(self, box: Box) -> bool:
        """Whether anything in a box of the crop would change."""
        return len(self.intensities) > 0 and bool(self.tissue[slices_of(box)].any())

    def around(self, box: Box) -> Box:
        """What must be known of the crop for a box of it."""
        return with_reach(box, self.tissue.shape)

    def __call__(self, probabilities: Tensor, box: Box) -> Tensor:
        """Those of the voxels of a box (classes, i, j, k), from those of what is `around` it, which are changed."""
        around = self.around(box)
        self._lay_annotated_over(probabilities, around)
        device = probabilities.device
        intensities = self.intensities[(slice(None), *slices_of(around))].to(device).float()
        tissue = torch.from_numpy(self.tissue[slices_of(around)]).to(device)
        return cross_bilateral(probabilities, intensities, tissue, box, self.tissue.shape)

    def _lay_annotated_over(self, probabilities: Tensor, box: Box) -> None:
        if self.annotation is None:
            return
        first, second, third = (
            (start + low, start + high) for start, (low, high) in zip(self.origin, box, strict=True)
        )
        annotated = self.model_grid.labels_to_model(self.annotation.labelmap, (first, second, third))
        classes = torch.from_numpy(self.classes[annotated + 1]).to(probabilities.device)
        known = classes >= 0
        probabilities[:, known] = torch.nn.functional.one_hot(classes[known], len(probabilities)).T.to(probabilities)
