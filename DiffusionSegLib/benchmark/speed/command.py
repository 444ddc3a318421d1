"""The speed benchmark as the command line runs it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.benchmark.speed.comparison import compare
from DiffusionSegLib.benchmark.speed.large_scan import segment_large
from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.plot import write_plot
from DiffusionSegLib.benchmark.speed.report import as_json, as_text
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.devices import choose_device
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig

PHANTOM_SIZE = 96
# Durations of a step hardly vary: some of them tell what thousands take, with as little of what precedes the first.
TRAINING_STEPS = 800
TO_STDOUT = "-"


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the tables and, if told, write the JSON object."""
    if arguments.grid is not None:
        print(segment_large(tuple(arguments.grid), arguments.bundle or DEFAULT_BUNDLE, arguments.device))  # noqa: T201
        return 0
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    spacing = bundle.config.spacing_mm
    if arguments.data is None:
        scan = SpeedScan.phantom(arguments.size or PHANTOM_SIZE, spacing)
    else:
        scan = SpeedScan.oasis(arguments.data, spacing)
        if arguments.size is not None:
            scan = scan.middle(arguments.size)
    denoisers = bundle.denoisers().to(choose_device(arguments.device))
    ours = OurPath(bundle, denoisers, replace(EnsembleConfig(), steps=TRAINING_STEPS))
    whole = max(scan.tissue.shape)
    edges = tuple(edge for edge in (whole // 4, whole // 2) if edge)
    found = compare(scan, ours, edges, all_of_it=arguments.naive)
    tables = sys.stderr if arguments.json == TO_STDOUT else sys.stdout
    tables.write(as_text(found) + "\n")
    if arguments.plot is not None:
        write_plot(arguments.plot, found)
    if arguments.json == TO_STDOUT:
        print(json.dumps(as_json(found)))  # noqa: T201
    elif arguments.json is not None:
        write_json(Path(arguments.json), as_json(found))
    return 0
