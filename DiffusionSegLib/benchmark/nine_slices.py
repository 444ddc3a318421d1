"""Few painted slices of one person: the rest of that scan, and other people's."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.comparison import WHOLE, compare
from DiffusionSegLib.benchmark.competitors import ONLY_WHOLE_VOLUMES, Competitors
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.scores import HEADER, Row
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle


def run(arguments: argparse.Namespace) -> int:
    """Measure the chosen methods and settings and print a table."""
    data = OasisFolder(arguments.data)
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    competitors = Competitors(
        data, bundle, arguments.device, arguments.unet_steps, arguments.pretraining_steps, arguments.unet_weights
    )
    rows: list[Row] = []
    print(HEADER, flush=True)  # noqa: T201
    for name in arguments.methods:
        settings = settings_for(name, arguments.settings)
        if not settings:
            continue
        people = data.people(arguments.people)
        found = compare(name, competitors.make(name), data, settings, people, train_on=arguments.train_on)
        for row in found:
            print(row.markdown(), flush=True)  # noqa: T201
        rows += found
    names = {label.value: label.name for label in data.structures()}
    print(structures_table(rows, names))  # noqa: T201
    if arguments.json is not None:
        write_json(arguments.json, [row.to_json() for row in rows])
    return 0


def settings_for(method: str, settings: Sequence[str]) -> list[str]:
    """Those settings that the method can learn from; what it leaves out is told."""
    if method not in ONLY_WHOLE_VOLUMES:
        return list(settings)
    left_out = [setting for setting in settings if setting != WHOLE]
    if left_out:
        log(f"{method} carries whole label maps only: without {', '.join(left_out)}")
    return [setting for setting in settings if setting == WHOLE]


def structures_table(rows: Sequence[Row], names: Mapping[int, str]) -> str:
    """Mean Dice of each structure, a column a row of the benchmark."""
    structures = [row.structures() for row in rows]
    lines = [
        "| structure | "
        + " | ".join(f"{row.method}, {row.trained_on}, {row.setting}, {row.scan}" for row in rows)
        + " |",
        "|---|" + "---|" * len(rows),
    ]
    for value, name in names.items():
        cells = [f"{100 * found[value].dice:.1f}" if value in found else "" for found in structures]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
