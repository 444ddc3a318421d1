"""Whether painting the suggested slices pays: Dice against the number of slices, beside other ways to choose them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.next_slices import AtRandom, EvenlySpaced, NextSlices, suggested
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.painting import background_box
from DiffusionSegLib.benchmark.plots import draw_curves
from DiffusionSegLib.benchmark.suggestion_curves import Point, curves
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.session import Session, SessionOptions

RANDOM = "random"
HEADER = (
    "| slices chosen | slices | Dice % of voxels that nobody painted | Dice % of the whole scan |\n|---|---|---|---|"
)


def run(arguments: argparse.Namespace) -> int:
    """Paint on from nine slices in each way, for each of the people, and print the means."""
    data = OasisFolder(arguments.data)
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    session = Session(SessionOptions(bundle=bundle, device=arguments.device))
    people: dict[str, list[Point]] = {}
    for person in data.people(arguments.people):
        volume, reference = data.read(person)
        ways = _ways(reference, arguments.seeds)
        people[person] = curves(session, volume, reference, data.structures(), ways, arguments.more, arguments.at_once)
        log(f"{person}: done")
    table = mean_points([point for points in people.values() for point in points])
    print(HEADER)  # noqa: T201
    for point in table:
        print(f"| {point.way} | {point.slices} | {100 * point.unpainted:.1f} | {100 * point.whole:.1f} |")  # noqa: T201
    if arguments.plot is not None:
        draw_curves(table, arguments.plot)
    if arguments.json is not None:
        found = {person: [vars(point) for point in points] for person, points in people.items()}
        write_json(arguments.json, found)
    return 0


def _ways(reference: np.ndarray, seeds: int) -> Mapping[str, NextSlices]:
    box = background_box(reference)
    by_chance = {f"{RANDOM} {seed}": AtRandom(box, seed) for seed in range(seeds)}
    return {"suggested": suggested, "evenly spaced": EvenlySpaced(box), **by_chance}


def mean_points(points: Sequence[Point]) -> list[Point]:
    """Means over people, and over the seeds of chance, of each way after each number of slices."""
    groups: dict[tuple[str, int], list[Point]] = {}
    for point in points:
        way = RANDOM if point.way.startswith(RANDOM) else point.way
        groups.setdefault((way, point.slices), []).append(point)
    return [
        Point(
            way,
            slices,
            float(np.mean([point.unpainted for point in group])),
            float(np.mean([point.whole for point in group])),
        )
        for (way, slices), group in groups.items()
    ]
