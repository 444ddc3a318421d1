"""Learning from one person, two, and more: transfer to people of whom none was painted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.comparison import annotation_for, cleaned
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.methods import DiffusionMethod, LearntFrom
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.scores import HEADER, Row
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.evaluation import Score, evaluate
from DiffusionSegLib.segmenter.lesson import Lesson
from DiffusionSegLib.session import SessionOptions


def run(arguments: argparse.Namespace) -> int:
    """Print a table: each setting, learnt from the first person alone, from the first two, and so on."""
    data = OasisFolder(arguments.data)
    others = [person for person in data.people(arguments.people) if person not in arguments.train_on]
    if not others:
        raise DiffusionSegError("Nobody is left to be segmented.", "Train on fewer people.")
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    method = DiffusionMethod(SessionOptions(bundle=bundle, device=arguments.device))
    trained = _trained(method, data, arguments.settings, arguments.train_on)
    scores: dict[tuple[str, int], list[dict[int, Score]]] = {found: [] for found in trained}
    for person in others:
        volume, reference = data.read(person)
        scan = method.open(volume)
        for found, learnt in trained.items():
            scores[found].append(evaluate(cleaned(method.predict(scan, learnt)), reference, volume.grid))
        log(f"{person}: done")
    rows = [
        Row("ours", " + ".join(arguments.train_on[:count]), setting, "transfer", of_people)
        for (setting, count), of_people in scores.items()
    ]
    print("\n".join([HEADER, *(row.markdown() for row in rows)]))  # noqa: T201
    if arguments.json is not None:
        write_json(arguments.json, [row.to_json() for row in rows])
    return 0


def _trained(
    method: DiffusionMethod, data: OasisFolder, settings: Sequence[str], people: Sequence[str]
) -> dict[tuple[str, int], LearntFrom]:
    """What was learnt in each setting from the first so many people."""
    lessons: dict[str, list[Lesson]] = {setting: [] for setting in settings}
    trained = {}
    for count, person in enumerate(people, 1):
        volume, reference = data.read(person)
        scan = method.open(volume)
        for setting in settings:
            annotation = annotation_for(setting, reference, volume.grid, data.structures())
            trained[setting, count] = method.train(scan, annotation, lessons[setting])
            lessons[setting].append(method.session.lesson())
            log(f"{setting} of {count}: trained")
    return {(setting, count): trained[setting, count] for setting in settings for count in range(1, len(people) + 1)}
