"""Scores of many people and structures, put together as the paper does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.benchmark.oasis import FIFTH_VENTRICLE, OPTIC_CHIASM
from DiffusionSegLib.evaluation import Score, mean_score

LEFT_OUT = {"Avg": (), "Avg+": (FIFTH_VENTRICLE,), "Avg++": (FIFTH_VENTRICLE, OPTIC_CHIASM)}
HEADER = (
    "| method | trained on | annotation | scan | Dice % Avg | Avg+ | Avg++ | HD95 mm Avg | Avg+ | Avg++ |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One line of the benchmark's table.

    Args:
        method: what segmented.
        trained_on: who was annotated.
        setting: what was annotated.
        scan: "completion" of the annotated scan or "transfer" to other people.
        people: the structures' scores, for each person; in a row of several trainings for each person and training.
    """

    method: str
    trained_on: str
    setting: str
    scan: str
    people: Sequence[Mapping[int, Score]]

    def averages(self) -> dict[str, Score]:
        """Mean over structures, then over people, for each of the paper's choices of structures."""
        found = {}
        for name, left_out in LEFT_OUT.items():
            means = [
                mean_score({value: score for value, score in person.items() if value not in left_out})
                for person in self.people
            ]
            found[name] = mean_score(dict(enumerate(means)))
        return found

    def structures(self) -> dict[int, Score]:
        """Mean over the people who have the structure."""
        values = sorted({value for person in self.people for value in person})
        return {
            value: mean_score(dict(enumerate([person[value] for person in self.people if value in person])))
            for value in values
        }

    def markdown(self) -> str:
        """The line as Markdown; the spread over all of `people` follows the mean Dice where there are several."""
        averages = self.averages()
        dice = [f"{100 * score.dice:.1f}" for score in averages.values()]
        if len(self.people) > 1:
            dice[0] += f" ± {100 * np.std([mean_score(person).dice for person in self.people]):.1f}"
        distances = [f"{score.hd95_mm:.2f}" for score in averages.values()]
        return "| " + " | ".join([self.method, self.trained_on, self.setting, self.scan, *dice, *distances]) + " |"

    def to_json(self) -> dict[str, object]:
        """Everything as a JSON object."""
        return {
            "method": self.method,
            "trained_on": self.trained_on,
            "setting": self.setting,
            "scan": self.scan,
            "people": [vars(mean_score(person)) for person in self.people],
            "averages": {name: vars(score) for name, score in self.averages().items()},
            "structures": {str(value): vars(score) for value, score in self.structures().items()},
        }


def mean_dice(labels: np.ndarray, reference: np.ndarray) -> float:
    """Mean Dice over the structures of the reference."""
    scores = []
    for value in np.unique(reference[reference > 0]):
        found, wanted = labels == value, reference == value
        scores.append(2 * np.count_nonzero(found & wanted) / (np.count_nonzero(found) + np.count_nonzero(wanted)))
    return float(np.mean(scores))
