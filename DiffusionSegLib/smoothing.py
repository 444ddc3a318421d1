"""What is found of a tile's voxels, settled with what their neighbours are and what is annotated of these."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from DiffusionSegLib import annotated_neighbours
from DiffusionSegLib.annotated_neighbours import with_annotated_neighbours
from DiffusionSegLib.annotation import LARGEST_VALUE, Annotation
from DiffusionSegLib.box import Box, lacking, slices_of, widened
from DiffusionSegLib.cross_bilateral import REACH, cross_bilateral
from DiffusionSegLib.features.local_features import unfiltered
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.model_grid import ModelGrid


class Smoothing:
    """Settles probabilities of tissue with what is annotated near by, then with all tissue beside it that is as bright.

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
        return widened(box, REACH, self.tissue.shape)

    def __call__(self, probabilities: Tensor, box: Box) -> Tensor:
        """Those of the voxels of a box (classes, i, j, k), from those of what is `around` it; air keeps its own."""
        around = self.around(box)
        tissue = torch.from_numpy(self.tissue[slices_of(around)]).to(probabilities.device)
        if self.annotation is not None:
            settled = self._as_annotated(probabilities, around, self.annotation)
            probabilities = torch.where(tissue, settled, probabilities)
        intensities = self._intensities(around, probabilities.device)
        return cross_bilateral(probabilities, intensities, tissue, box, self.tissue.shape)

    def _as_annotated(self, probabilities: Tensor, box: Box, annotation: Annotation) -> Tensor:
        """Annotated voxels of a box as what they are, and others nearer to what is annotated beside them."""
        reach, shape = annotated_neighbours.REACH, self.tissue.shape
        wide = widened(box, reach, shape)
        classes = torch.from_numpy(self._annotated_classes(wide, annotation)).to(probabilities.device)
        if not (classes >= 0).any():
            return probabilities
        missing = lacking(box, reach, shape)
        intensities = pad(self._intensities(wide, probabilities.device), missing)
        classes = pad(classes, missing, value=-1)
        settled = with_annotated_neighbours(probabilities, classes, intensities)
        own = classes[tuple(slice(reach, size - reach) for size in classes.shape)]
        known = own >= 0
        settled[:, known] = one_hot(own[known], len(settled)).T.to(settled)
        return settled

    def _annotated_classes(self, box: Box, annotation: Annotation) -> np.ndarray:
        """Numbers of the classes that tissue in a box of the crop is annotated as; -1 in air and where unknown."""
        first, second, third = (
            (start + low, start + high) for start, (low, high) in zip(self.origin, box, strict=True)
        )
        values = self.model_grid.labels_to_model(annotation.labelmap, (first, second, third))
        return np.where(self.tissue[slices_of(box)], self.classes[values + 1], -1)

    def _intensities(self, box: Box, device: torch.device) -> Tensor:
        return self.intensities[(slice(None), *slices_of(box))].to(device).float()
