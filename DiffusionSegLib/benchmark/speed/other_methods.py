"""What else fills a volume from nine slices: durations on the same scan and annotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.forest import Forest, ForestFeatures
from DiffusionSegLib.benchmark.scores import mean_dice
from DiffusionSegLib.benchmark.speed.cost import Cost, measured
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.benchmark.speed.slicer_effects import SlicerAbsentError, fill_between_slices, grow_cut


@dataclass(frozen=True)
class OtherMethod:
    """A method's cost, or why it has none.

    Args:
        name: what it is called.
        cost: of the whole way from the scan to its labels.
        dice: mean over the structures, against the scan's reference.
        absent: why it could not be run.
    """

    name: str
    cost: Cost | None = None
    dice: float | None = None
    absent: str = ""


def other_methods(scan: SpeedScan, annotation: Annotation) -> list[OtherMethod]:
    """The random forest and Slicer's own effects; all compute on the CPU."""

    def forest() -> np.ndarray:
        features = ForestFeatures(scan.image, scan.tissue)
        return Forest(features, annotation, 0).predict(features)

    ways: dict[str, Callable[[], np.ndarray]] = {
        "random forest": forest,
        "Slicer, grow from seeds": lambda: grow_cut(scan.image[0], annotation),
        "Slicer, fill between slices": lambda: fill_between_slices(annotation),
    }
    return [_run(name, way, scan.reference) for name, way in ways.items()]


def _run(name: str, way: Callable[[], np.ndarray], reference: np.ndarray) -> OtherMethod:
    try:
        labels, cost = measured(way, torch.device("cpu"))
    except SlicerAbsentError as error:
        return OtherMethod(name, absent=str(error))
    return OtherMethod(name, cost, mean_dice(labels, reference))
