"""Few painted slices of one person: the rest of that scan, and other people's."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.benchmark.methods import DiffusionMethod, ForestMethod, Method
from DiffusionSegLib.benchmark.oasis import TRAIN, OasisFolder
from DiffusionSegLib.benchmark.painting import annotate_slices, on_slices
from DiffusionSegLib.benchmark.scores import HEADER, Row
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.evaluation import Score, evaluate
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.postprocessing import keep_largest_components
from DiffusionSegLib.session import SessionOptions

UNTRAINED_SEED = 1
BRAINSTEM = 35
# Slices an axis, and their distance in voxels.
SLICES = {"9": (3, 10), "9+background": (3, 10), "15": (5, 5), "30": (10, 2)}


def run(arguments: argparse.Namespace) -> int:
    """Measure the chosen methods and settings and print a table."""
    data = OasisFolder(arguments.data)
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    options = SessionOptions(bundle=bundle, device=arguments.device)
    untrained = SessionOptions(bundle=bundle.untrained(UNTRAINED_SEED), device=arguments.device)
    methods: dict[str, Callable[[], Method]] = {
        "ours": lambda: DiffusionMethod(options),
        "forest": ForestMethod,
        "untrained": lambda: DiffusionMethod(untrained),
    }
    rows: list[Row] = []
    print(HEADER, flush=True)  # noqa: T201
    for name in arguments.methods:
        found = compare(name, methods[name](), data, arguments.settings, data.people(arguments.people))
        for row in found:
            print(row.markdown(), flush=True)  # noqa: T201
        rows += found
    names = {label.value: label.name for label in data.structures()}
    print(structures_table(rows, names))  # noqa: T201
    if arguments.json is not None:
        with atomic_path(arguments.json) as part:
            part.write_text(json.dumps([row.to_json() for row in rows], indent=1), encoding="utf-8")
    return 0


def annotation_for(setting: str, reference: np.ndarray, grid: Grid, labels: Sequence[Label]) -> Annotation:
    """What the annotator gives in a setting; "volume" is every voxel, and only "9" goes without background."""
    if setting == "volume":
        known = tuple(label for label in labels if (reference == label.value).any())
        return Annotation(reference.astype(np.int32), grid, known)
    per_axis, stride = SLICES[setting]
    return annotate_slices(reference, grid, per_axis=per_axis, stride=stride, background=setting != "9", labels=labels)


def compare(name: str, method: Method, data: OasisFolder, settings: Sequence[str], people: Sequence[str]) -> list[Row]:
    """Completion of the training scan and transfer to `people`, for each setting; each scan is opened once."""
    started = time.perf_counter()
    labels = data.structures()
    (annotated,) = data.people(TRAIN)
    volume, reference = data.read(annotated)
    method.open(volume)
    trained: dict[str, Any] = {}
    rows = []
    for setting in settings:
        annotation = annotation_for(setting, reference, volume.grid, labels)
        trained[setting] = method.train(annotation)
        if setting != "volume":
            unpainted = ~on_slices(reference.shape, annotation.complete_slices)
            # What is annotated needs no method: the background outside the box in particular.
            predicted = annotation.over(cleaned(method.predict(trained[setting])))
            scores = evaluate(predicted * unpainted, reference * unpainted, volume.grid)
            rows.append(Row(name, setting, "completion", [scores]))
        _log(f"{name}, {setting}: trained after {time.perf_counter() - started:.0f} s")
    transferred: dict[str, list[Mapping[int, Score]]] = {setting: [] for setting in settings}
    for person in people:
        volume, reference = data.read(person)
        method.open(volume)
        for setting in settings:
            transferred[setting].append(evaluate(cleaned(method.predict(trained[setting])), reference, volume.grid))
        _log(f"{name}, {person}: done after {time.perf_counter() - started:.0f} s")
    return rows + [Row(name, setting, "transfer", scores) for setting, scores in transferred.items()]


def cleaned(labelmap: np.ndarray) -> np.ndarray:
    """The label map with the largest piece of the brainstem alone (Cho et al., section 3.1), for all methods alike."""
    return keep_largest_components(labelmap.astype(np.uint16), (BRAINSTEM,))


def structures_table(rows: Sequence[Row], names: Mapping[int, str]) -> str:
    """Mean Dice of each structure, a column a row of the benchmark."""
    structures = [row.structures() for row in rows]
    lines = [
        "| structure | " + " | ".join(f"{row.method}, {row.setting}, {row.scan}" for row in rows) + " |",
        "|---|" + "---|" * len(rows),
    ]
    for value, name in names.items():
        cells = [f"{100 * found[value].dice:.1f}" if value in found else "" for found in structures]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
