"""What the benchmark asks of a method, our own and the random forest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.anatomical_order import AnatomicalOrder
from DiffusionSegLib.benchmark.forest import Forest, ForestFeatures
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.normalisation import Normalisation, foreground_mask
from DiffusionSegLib.segmenter.lesson import Lesson
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.volume import Volume

# Of the weights that are left without pretraining.
UNTRAINED_SEED = 1


class Method(Protocol):
    """Opens scans, learns from any number of annotations of one, and applies what was learnt to any other."""

    def open(self, volume: Volume) -> Any:
        """The scan as the method wants it; what takes long is done here, once."""
        ...

    def train(self, scan: Any, annotation: Annotation) -> Any:
        """What was learnt from an annotation of an opened scan."""
        ...

    def predict(self, scan: Any, trained: Any) -> np.ndarray:
        """The label map (I, J, K) of an opened scan."""
        ...


@dataclass(frozen=True, eq=False)
class DiffusionScan:
    """A scan and its features.

    Args:
        volume: the scan.
        features: computed once, however many annotations and segmenters follow.
    """

    volume: Volume
    features: OrthogonalFeatures


@dataclass(frozen=True, eq=False)
class LearntFrom:
    """A segmenter, and what it learnt from.

    Args:
        segmenter: what has learnt.
        volume: the scan that was annotated.
        annotation: what is known of that scan, which predicting the rest of it takes into account.
    """

    segmenter: Segmenter
    volume: Volume
    annotation: Annotation


class DiffusionMethod:
    """Diffusion-model features and the ensemble.

    Args:
        options: bundle, features and training.
    """

    def __init__(self, options: SessionOptions) -> None:
        self.session = Session(options)

    def open(self, volume: Volume) -> DiffusionScan:
        self.session.open(volume)
        return DiffusionScan(volume, self.session.extract())

    def train(self, scan: DiffusionScan, annotation: Annotation, beside: Sequence[Lesson] = ()) -> LearntFrom:
        self._enter(scan, annotation)
        return LearntFrom(self.session.train(beside=beside), scan.volume, annotation)

    def predict(self, scan: DiffusionScan, trained: LearntFrom) -> np.ndarray:
        # What was painted must not show in a prediction by another's segmenter.
        self._enter(scan, trained.annotation if scan.volume is trained.volume else None)
        return self.session.predict(trained.segmenter).labelmap

    def _enter(self, scan: DiffusionScan, annotation: Annotation | None) -> None:
        self.session.open(scan.volume)
        self.session.take_features(scan.features)
        self.session.annotate(annotation)


class ForestMethod:
    """The random forest on multi-scale intensities, on scans that are on the model's grid already but for their order.

    Args:
        seed: seeds the forest.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def open(self, volume: Volume) -> ForestFeatures:
        normalised = Normalisation().apply(volume.data, "mr")
        return ForestFeatures(normalised, tissue_of(normalised[:1], AnatomicalOrder(volume.grid)))

    def train(self, scan: ForestFeatures, annotation: Annotation) -> Forest:
        return Forest(scan, annotation, self.seed)

    def predict(self, scan: ForestFeatures, trained: Forest) -> np.ndarray:
        return trained.predict(scan)


def tissue_of(normalised: np.ndarray, order: AnatomicalOrder) -> np.ndarray:
    """Which voxels (I, J, K) are not air: the same tissue as ours, which is found in RAS order."""
    return order.undo(foreground_mask(np.stack([order.apply(channel) for channel in normalised])))
