"""The methods that the benchmark compares, all driven alike."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.forest import Forest, ForestFeatures
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation, foreground_mask
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.volume import Volume


class Method(Protocol):
    """Opens a scan once, then learns from any number of annotations of it, or applies what was learnt elsewhere."""

    def open(self, volume: Volume) -> None: ...

    def train(self, annotation: Annotation) -> Any: ...

    def predict(self, trained: Any) -> np.ndarray: ...


class DiffusionMethod:
    """Diffusion-model features and the ensemble.

    Args:
        options: bundle, features and training.
    """

    def __init__(self, options: SessionOptions) -> None:
        self.session = Session(options)

    def open(self, volume: Volume) -> None:
        self.session.open(volume)

    def train(self, annotation: Annotation) -> Any:
        self.session.annotate(annotation)
        return self.session.train()

    def predict(self, trained: Any) -> np.ndarray:
        return self.session.predict(trained).labelmap


class ForestMethod:
    """The random forest on multi-scale intensities, on scans that are on the model's grid already but for their order.

    Args:
        seed: seeds the forest.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def open(self, volume: Volume) -> None:
        normalised = Normalisation().apply(volume.data, "mr")
        # The same tissue as ours, found on the grid of the scan itself.
        grid = ModelGrid.for_grid(volume.grid, min(volume.grid.spacing))
        tissue = grid.to_source_order(foreground_mask(grid.to_model(normalised)))
        flips = tuple(
            slice(None, None, -1 if axis_map.scale < 0 else 1)
            for axis_map in sorted(grid.axis_maps, key=lambda axis_map: axis_map.source_axis)
        )
        self.features = ForestFeatures(normalised[0], tissue[flips])

    def train(self, annotation: Annotation) -> Forest:
        return Forest(self.features, annotation, self.seed)

    def predict(self, trained: Forest) -> np.ndarray:
        return trained.predict(self.features)
