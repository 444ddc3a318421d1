"""Painting one slice after another, each chosen in one of several ways, and what each is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.annotation import CompleteSlices
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.next_slices import NextSlices, with_slices
from DiffusionSegLib.benchmark.painting import annotation_of, nine_slices, on_slices
from DiffusionSegLib.benchmark.scores import mean_dice
from DiffusionSegLib.labels import Label
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.session import Session
from DiffusionSegLib.volume import Volume


@dataclass(frozen=True, eq=False)
class Painted:
    """Where somebody stands after some slices.

    Args:
        slices: what is painted.
        labelmap: what is predicted from it, with what is painted as it is painted.
    """

    slices: CompleteSlices
    labelmap: np.ndarray

    @property
    def count(self) -> int:
        return sum(map(len, self.slices))


@dataclass(frozen=True)
class Point:
    """A point of a curve.

    Args:
        way: how slices were chosen.
        slices: how many are painted.
        unpainted: mean Dice over the structures, on voxels that lie on no slice that any of the ways ever painted.
        whole: the same on all voxels, painted ones as they are painted.
    """

    way: str
    slices: int
    unpainted: float
    whole: float


def curves(
    session: Session,
    volume: Volume,
    reference: np.ndarray,
    labels: Sequence[Label],
    ways: Mapping[str, NextSlices],
    more: int,
    at_once: int,
) -> list[Point]:
    """The curves of all ways, from nine slices and the background region onwards.

    Args:
        session: takes the scan; features are computed once, and every round learns from scratch.
        volume: the scan.
        reference: what is painted from, label values (I, J, K).
        labels: the structures.
        ways: how to choose a slice, by name.
        more: how many slices are painted on top of the nine.
        at_once: how many of them are chosen before it is learnt from them.
    """
    session.open(volume)
    nine = nine_slices(reference)

    def learnt(name: str, slices: CompleteSlices) -> Prediction:
        session.annotate(annotation_of(reference, volume.grid, slices, background=True, labels=labels))
        session.train()
        prediction = session.predict()
        log(f"{name}: {slices}, Dice {100 * mean_dice(prediction.labelmap, reference):.1f} %")
        return prediction

    start = learnt("start", nine)
    found: dict[str, list[Painted]] = {}
    for name, choose in ways.items():
        slices, prediction = nine, start
        found[name] = [Painted(nine, start.labelmap)]
        for done in range(0, more, at_once):
            chosen = choose(prediction, slices, min(at_once, more - done))
            if not chosen:
                break
            slices = with_slices(slices, chosen)
            prediction = learnt(name, slices)
            found[name].append(Painted(slices, prediction.labelmap))
    return scored(found, reference)


def scored(found: Mapping[str, Sequence[Painted]], reference: np.ndarray) -> list[Point]:
    """Mean Dice of each, all on the same voxels."""
    free = np.ones(reference.shape, bool)
    for steps in found.values():
        free &= ~on_slices(reference.shape, steps[-1].slices)
    return [
        Point(way, step.count, mean_dice(step.labelmap * free, reference * free), mean_dice(step.labelmap, reference))
        for way, steps in found.items()
        for step in steps
    ]
