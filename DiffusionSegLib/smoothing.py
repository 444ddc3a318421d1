"""What is found of a tile's voxels, settled with what their neighbours are and what is annotated of these."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from DiffusionSegLib import annotated_neighbours
from DiffusionSegLib.annotated_neighbours import with_annotated_neighbours
from DiffusionSegLib.annotated_tissue import annotated_tissue
from DiffusionSegLib.annotation import Annotation
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
        self.annotated = None if annotation is None else _annotated_classes(features, model_grid, values, annotation)

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
        if self.annotated is not None:
            settled = self._as_annotated(probabilities, around, self.annotated)
            probabilities = torch.where(tissue, settled, probabilities)
        intensities = self._intensities(around, probabilities.device)
        return cross_bilateral(probabilities, intensities, tissue, box, self.tissue.shape)

    def _as_annotated(self, probabilities: Tensor, box: Box, annotated: np.ndarray) -> Tensor:
        """Annotated voxels of a box as what they are, and others nearer to what is annotated beside them."""
        reach, shape = annotated_neighbours.REACH, self.tissue.shape
        wide = widened(box, reach, shape)
        classes = torch.from_numpy(annotated[slices_of(wide)]).to(probabilities.device, torch.int64)
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

    def _intensities(self, box: Box, device: torch.device) -> Tensor:
        return self.intensities[(slice(None), *slices_of(box))].to(device).float()


def _annotated_classes(
    features: OrthogonalFeatures, model_grid: ModelGrid, values: tuple[int, ...], annotation: Annotation
) -> np.ndarray:
    """Numbers of the segmenter's classes that tissue is annotated as; -1 for what is unknown or none of them."""
    numbers = [values.index(value) if value in values else -1 for value in annotation.classes]
    # The last one is for what is not annotated, -1.
    return np.array([*numbers, -1], np.int32)[annotated_tissue(features, annotation, model_grid)]
