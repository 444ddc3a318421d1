"""Few painted slices of any scan that has a reference: the rest of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.comparison import scores_of_the_rest
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.methods import DiffusionMethod, ForestMethod, Method
from DiffusionSegLib.benchmark.painting import NINE, annotation_of, central_slices
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.commands.painted_scan import PaintedScan
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.evaluation import Score, mean_score
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.reading import read_labelmap
from DiffusionSegLib.session import SessionOptions

# Of a method's scans, the scores of each structure.
Scores = list[dict[int, Score]]


def run(arguments: argparse.Namespace) -> int:
    """Paint nine slices of each scan as its reference says, and print how well each method finds the rest."""
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    methods: dict[str, Method] = {
        "ours": DiffusionMethod(SessionOptions(bundle=bundle, device=arguments.device)),
        "forest": ForestMethod(),
    }
    found: dict[str, Scores] = {name: [] for name in arguments.methods}
    for scan in [PaintedScan.of_files(files) for files in arguments.scan]:
        for name in arguments.methods:
            scores = _completed(methods[name], scan, arguments.apart)
            found[name].append(scores)
            # What comes after may fail.
            log(f"{scan.labels.name}: {name} reaches a mean Dice of {100 * mean_score(scores).dice:.1f} %")
    print("\n".join([*_table_of_scans(found), "", *_table_of_structures(found)]))  # noqa: T201
    if arguments.json is not None:
        write_json(arguments.json, {name: [_to_json(scan) for scan in scans] for name, scans in found.items()})
    return 0


def _completed(method: Method, scan: PaintedScan, apart_mm: float) -> dict[int, Score]:
    """Scores of the structures that a painted slice shows, where nobody painted."""
    volume, (reference, grid) = scan.volume(), read_labelmap(scan.labels)
    if not grid.matches(volume.grid):
        raise DiffusionSegError(f"{scan.labels} lies on another grid than its scan.", "Resample one onto the other.")
    annotation = nine_slices_of(reference, grid, apart_mm)
    opened = method.open(volume)
    predicted = method.predict(opened, method.train(opened, annotation))
    shown = {label.value for label in annotation.labels}
    missed = sorted({int(value) for value in np.unique(reference)} - shown - {0})
    if missed:
        log(f"{scan.labels.name}: no painted slice shows {', '.join(map(str, missed))}, which are left out")
    scores = scores_of_the_rest(predicted, np.where(np.isin(reference, missed), 0, reference), annotation)
    if not scores:
        raise DiffusionSegError(f"{scan.labels} shows nothing beside the painted slices.", "Give a larger reference.")
    return scores


def nine_slices_of(reference: np.ndarray, grid: Grid, apart_mm: float) -> Annotation:
    """Three slices of a reference (I, J, K) along each axis, so far apart, and all beyond its structures.

    Raises:
        DiffusionSegError: if the reference is empty.
    """
    if not reference.any():
        raise DiffusionSegError("The reference is empty.", "Check that the right file was chosen.")
    first, second, third = (max(1, round(apart_mm / edge)) for edge in grid.spacing)
    slices = central_slices(reference, per_axis=NINE[0], stride=(first, second, third))
    return annotation_of(reference, grid, slices, background=True)


def _table_of_scans(found: Mapping[str, Scores]) -> list[str]:
    lines = ["| method | scans | Dice % | HD95 mm |", "|---|---|---|---|"]
    for name, scans in found.items():
        means = [mean_score(scan) for scan in scans]
        mean = mean_score(dict(enumerate(means)))
        spread = f" ± {100 * np.std([one.dice for one in means]):.1f}" if len(means) > 1 else ""
        lines.append(f"| {name} | {len(scans)} | {100 * mean.dice:.1f}{spread} | {mean.hd95_mm:.2f} |")
    return lines


def _table_of_structures(found: Mapping[str, Scores]) -> list[str]:
    """Means over the scans that have the structure."""
    columns = [cell for name in found for cell in (f"{name}, Dice %", "HD95 mm")]
    lines = ["| " + " | ".join(["label", *columns]) + " |", "|---|" + "---|" * len(columns)]
    for value in sorted({value for scans in found.values() for scan in scans for value in scan}):
        cells = [str(value)]
        for scans in found.values():
            mean = _mean_of(value, scans)
            cells += [f"{100 * mean.dice:.1f}", f"{mean.hd95_mm:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _mean_of(value: int, scans: Sequence[Mapping[int, Score]]) -> Score:
    return mean_score({number: scan[value] for number, scan in enumerate(scans) if value in scan})


def _to_json(scan: Mapping[int, Score]) -> dict[str, object]:
    return {"mean": vars(mean_score(scan)), "labels": {str(value): vars(score) for value, score in scan.items()}}
