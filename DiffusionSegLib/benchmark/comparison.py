"""Training on one person after another and segmenting the others, by any method."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.methods import Method
from DiffusionSegLib.benchmark.oasis import TRAIN, OasisFolder
from DiffusionSegLib.benchmark.painting import NINE, annotate_slices, on_slices
from DiffusionSegLib.benchmark.scores import Row
from DiffusionSegLib.evaluation import Score, evaluate
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.postprocessing import keep_largest_components

BRAINSTEM = 35
WHOLE = "volume"
KINDS = ("completion", "transfer")
# Slices an axis, and their distance in voxels.
SLICES = {"9": NINE, "9+background": NINE, "15": (5, 5), "30": (10, 2)}


def annotation_for(setting: str, reference: np.ndarray, grid: Grid, labels: Sequence[Label]) -> Annotation:
    """What the annotator gives in a setting; "volume" is every voxel, and only "9" goes without background."""
    if setting == WHOLE:
        known = tuple(label for label in labels if (reference == label.value).any())
        return Annotation(reference.astype(np.int32), grid, known)
    per_axis, stride = SLICES[setting]
    return annotate_slices(reference, grid, per_axis=per_axis, stride=stride, background=setting != "9", labels=labels)


def compare(
    name: str,
    method: Method,
    data: OasisFolder,
    settings: Sequence[str],
    people: Sequence[str],
    *,
    train_on: Sequence[str] | None = None,
) -> list[Row]:
    """Completion of the training scans and transfer to the others of `people`, for each setting.

    Args:
        name: what the method is called.
        method: what segments.
        data: the benchmark's people.
        settings: what is annotated.
        people: who is segmented.
        train_on: who is annotated in turn; if not given, the one person of the split "train".

    Returns:
        Rows of each person trained on and, if these are several, rows of all of them together. Each scan is opened
        once.
    """
    training = Training(name, method, data, settings)
    trainers = list(train_on or data.people(TRAIN))
    scans = {}
    for trainer in trainers:
        scan = training.learn(trainer)
        # Features of a scan fill about a gigabyte: only those that are needed again are kept.
        if trainer in people and len(trainers) > 1:
            scans[trainer] = scan
    for person in people:
        if trainers != [person]:
            training.transfer(person, scans.pop(person, None))
    return training.rows()


class Training:
    """What a method learnt from each person in each setting, and how it did.

    Args:
        name: what the method is called.
        method: what segments.
        data: the benchmark's people.
        settings: what is annotated.
    """

    def __init__(self, name: str, method: Method, data: OasisFolder, settings: Sequence[str]) -> None:
        self.name, self.method, self.data, self.settings = name, method, data, settings
        self.started = time.perf_counter()
        self.trained: dict[tuple[str, str], Any] = {}
        self.scores: dict[tuple[str, str, str], list[Mapping[int, Score]]] = {}

    def learn(self, trainer: str) -> Any:
        """Train on a person in each setting and complete that person's scan, which is returned as opened."""
        volume, reference = self.data.read(trainer)
        scan = self.method.open(volume)
        for setting in self.settings:
            annotation = annotation_for(setting, reference, volume.grid, self.data.structures())
            self.trained[trainer, setting] = self.method.train(scan, annotation)
            self._log(f"{setting} of {trainer}: trained")
            if setting != WHOLE:
                predicted = cleaned(self.method.predict(scan, self.trained[trainer, setting]))
                scores = scores_of_the_rest(predicted, reference, annotation)
                self.scores.setdefault((trainer, setting, "completion"), []).append(scores)
        return scan

    def transfer(self, person: str, scan: Any = None) -> None:
        """Segment a person by all that was learnt from others."""
        volume, reference = self.data.read(person)
        scan = self.method.open(volume) if scan is None else scan
        for (trainer, setting), trained in self.trained.items():
            if trainer != person:
                scores = evaluate(cleaned(self.method.predict(scan, trained)), reference, volume.grid)
                self.scores.setdefault((trainer, setting, "transfer"), []).append(scores)
        self._log(f"{person}: done")

    def rows(self) -> list[Row]:
        """A row for each training, setting and kind of scan, then the trainings together if there are several."""
        rows = [
            Row(self.name, trainer, setting, kind, scores) for (trainer, setting, kind), scores in self.scores.items()
        ]
        rows.sort(key=lambda row: KINDS.index(row.scan))
        trainers = dict.fromkeys(trainer for trainer, _ in self.trained)
        if len(trainers) > 1:
            rows += [
                Row(
                    self.name,
                    f"{len(trainers)} in turn",
                    setting,
                    kind,
                    [person for row in of_kind for person in row.people],
                )
                for kind in KINDS
                for setting in self.settings
                if (of_kind := [row for row in rows if (row.setting, row.scan) == (setting, kind)])
            ]
        return rows

    def _log(self, line: str) -> None:
        log(f"{self.name}, {line} after {time.perf_counter() - self.started:.0f} s")


def scores_of_the_rest(predicted: np.ndarray, reference: np.ndarray, annotation: Annotation) -> dict[int, Score]:
    """Scores of a scan's structures (I, J, K) on the slices that nobody painted."""
    unpainted = ~on_slices(reference.shape, annotation.complete_slices)
    # What is annotated needs no method: the background outside the box in particular.
    return evaluate(annotation.over(predicted) * unpainted, reference * unpainted, annotation.grid)


def cleaned(labelmap: np.ndarray) -> np.ndarray:
    """The label map with the largest piece of the brainstem alone (Cho et al., section 3.1), for all methods alike."""
    return keep_largest_components(labelmap.astype(np.uint16), (BRAINSTEM,))
