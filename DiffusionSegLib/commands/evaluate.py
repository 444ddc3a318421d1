"""`diffusionseg evaluate`: a segmentation against a reference."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("evaluate", help="Dice and 95 %% Hausdorff distance of each label")
    parser.add_argument("prediction", metavar="PREDICTION", type=Path)
    parser.add_argument("reference", metavar="REFERENCE", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the scores of each label of the reference, and their means."""
    from DiffusionSegLib.evaluation import evaluate, mean_score
    from DiffusionSegLib.reading import read_labelmap

    prediction, grid = read_labelmap(arguments.prediction)
    reference, reference_grid = read_labelmap(arguments.reference)
    if not grid.matches(reference_grid):
        raise DiffusionSegError("Prediction and reference lie on different grids.", "Resample one onto the other.")
    scores = evaluate(prediction, reference, grid)
    if not scores:
        raise DiffusionSegError("The reference is empty.", "Check that the right file was chosen.")
    mean = mean_score(scores)
    unknown = sorted({int(value) for value in np.unique(prediction)} - {0, *scores})
    if arguments.json:
        labels = {str(value): {"dice": score.dice, "hd95_mm": score.hd95_mm} for value, score in scores.items()}
        means = {"dice": mean.dice, "hd95_mm": mean.hd95_mm}
        print(json.dumps({"labels": labels, "mean": means, "not_in_reference": unknown}))
        return 0
    print("label   Dice  HD95 mm")
    for name, score in [*scores.items(), ("mean", mean)]:
        print(f"{name:>5}  {score.dice:.3f}  {score.hd95_mm:7.2f}")
    if unknown:
        print(f"Not in the reference, and not counted: label {', '.join(map(str, unknown))}")
    return 0
