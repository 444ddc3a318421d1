"""Whether the probabilities and the uncertainty of other people's scans mean what they say."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.anatomical_order import AnatomicalOrder
from DiffusionSegLib.benchmark.comparison import annotation_for
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.methods import tissue_of
from DiffusionSegLib.benchmark.oasis import TRAIN, OasisFolder
from DiffusionSegLib.benchmark.plots import draw_reliability
from DiffusionSegLib.benchmark.reliability import (
    ReliabilityBin,
    error_auroc,
    error_rates,
    expected_calibration_error,
    reliability,
)
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.normalisation import Normalisation
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.tile_classifier import SURE

SUMMARY_HEADER = (
    "| voxels | number | right % | mean probability % | ECE % | AUROC of uncertainty | AUROC of 1 - probability |\n"
    "|---|---|---|---|---|---|---|"
)
BINS_HEADER = "| probability % | share of voxels % | mean probability % | right % |\n|---|---|---|---|"
RATES_HEADER = "| tenth of the voxels, from the most certain | wrong % |\n|---|---|"


@dataclass(frozen=True, eq=False)
class JudgedVoxels:
    """Voxels with what was predicted and whether it is right.

    Args:
        confidence: probability of the label, shape (N,).
        uncertainty: disagreement of the members, shape (N,).
        right: whether the label is the reference's, bool of shape (N,).
        structure: whether the label is a structure's, bool of shape (N,).
    """

    confidence: np.ndarray
    uncertainty: np.ndarray
    right: np.ndarray
    structure: np.ndarray

    @classmethod
    def judged(cls, prediction: Prediction, reference: np.ndarray, where: np.ndarray) -> JudgedVoxels:
        """The voxels `where` (bool, I, J, K) of a prediction."""
        labels = prediction.labelmap[where]
        confidence = prediction.confidence[where].astype(np.float32) / SURE
        return cls(confidence, prediction.uncertainty[where], labels == reference[where], labels > 0)

    @classmethod
    def together(cls, parts: Sequence[JudgedVoxels]) -> JudgedVoxels:
        """Those of several people."""
        return cls(
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.uncertainty for part in parts]),
            np.concatenate([part.right for part in parts]),
            np.concatenate([part.structure for part in parts]),
        )

    def structures(self) -> JudgedVoxels:
        """Those that were taken for a structure."""
        kept = self.structure
        return JudgedVoxels(self.confidence[kept], self.uncertainty[kept], self.right[kept], self.structure[kept])

    @cached_property
    def bins(self) -> list[ReliabilityBin]:
        return reliability(self.confidence, self.right)

    def summary(self) -> dict[str, float]:
        """Number of voxels, then shares from 0 to 1."""
        return {
            "voxels": len(self.right),
            "accuracy": float(self.right.mean()),
            "confidence": float(self.confidence.mean(dtype=np.float64)),
            "ece": expected_calibration_error(self.bins),
            "auroc_of_uncertainty": error_auroc(self.uncertainty, self.right),
            "auroc_of_confidence": error_auroc(1 - self.confidence, self.right),
        }


def run(arguments: argparse.Namespace) -> int:
    """Train on one person, predict the others and print tables of how sure and how right the predictions are."""
    data = OasisFolder(arguments.data)
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    session = Session(SessionOptions(bundle=bundle, device=arguments.device))
    people = judged_people(session, data, arguments.setting, data.people(arguments.people), arguments.margin)
    together = JudgedVoxels.together(list(people.values()))
    rows = {**people, "all": together, "all, taken for a structure": together.structures()}
    print(SUMMARY_HEADER)  # noqa: T201
    for name, voxels in rows.items():
        print(_summary_line(name, voxels.summary()))  # noqa: T201
    print(f"\n{BINS_HEADER}")  # noqa: T201
    for one in together.bins:
        shares = (one.share, one.confidence, one.accuracy)
        cells = " | ".join(f"{100 * share:.1f}" for share in shares)
        print(f"| {100 * one.low:.0f} to {100 * one.high:.0f} | {cells} |")  # noqa: T201
    rates = error_rates(together.uncertainty, together.right)
    print(f"\n{RATES_HEADER}")  # noqa: T201
    for number, rate in enumerate(rates):
        print(f"| {number + 1} | {100 * rate:.2f} |")  # noqa: T201
    if arguments.plot is not None:
        draw_reliability(together.bins, rates, arguments.plot)
    if arguments.json is not None:
        found = {
            "summaries": {name: voxels.summary() for name, voxels in rows.items()},
            "bins": [vars(one) for one in together.bins],
            "error_rates": rates,
        }
        write_json(arguments.json, found)
    return 0


def judged_people(
    session: Session, data: OasisFolder, setting: str, people: Sequence[str], margin_mm: float
) -> Mapping[str, JudgedVoxels]:
    """The tissue in and around the structures of each of the people, by a segmenter of the training person."""
    (trainer,) = data.people(TRAIN)
    volume, reference = data.read(trainer)
    session.open(volume)
    session.annotate(annotation_for(setting, reference, volume.grid, data.structures()))
    segmenter = session.train()
    log(f"{trainer}: trained")
    found = {}
    for person in people:
        volume, reference = data.read(person)
        session.open(volume)
        prediction = session.predict(segmenter)
        tissue = tissue_of(Normalisation().apply(volume.data, "mr"), AnatomicalOrder(volume.grid))
        where = tissue & around_structures(reference, volume.grid, margin_mm)
        found[person] = JudgedVoxels.judged(prediction, reference, where)
        log(f"{person}: done")
    return found


def around_structures(reference: np.ndarray, grid: Grid, margin_mm: float) -> np.ndarray:
    """Which voxels belong to a structure or lie no further than the margin from one: bool (I, J, K)."""
    distance = ndimage.distance_transform_edt(reference == 0, sampling=grid.spacing)
    return np.asarray(distance <= margin_mm)


def _summary_line(name: str, summary: Mapping[str, float]) -> str:
    percent = " | ".join(f"{100 * summary[key]:.1f}" for key in ("accuracy", "confidence", "ece"))
    return (
        f"| {name} | {summary['voxels']} | {percent} | {summary['auroc_of_uncertainty']:.3f} "
        f"| {summary['auroc_of_confidence']:.3f} |"
    )
