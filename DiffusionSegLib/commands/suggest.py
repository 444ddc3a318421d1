"""`diffusionseg suggest`: the slices that are worth painting next."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import add_bundle, add_device, positive


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("suggest", help="name the slices that are worth painting next")
    parser.add_argument("segmenter", metavar="SEGMENTER", type=Path, help="file that segment --segmenter-out wrote")
    parser.add_argument("volumes", metavar="VOLUME", type=Path, nargs="+", help="the scan; several are its channels")
    parser.add_argument("--labels", type=Path, help="label map of the slices painted so far, which are not named again")
    parser.add_argument("--count", type=positive(int), default=6, help="how many slices to name (6)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the slices, best first."""
    from DiffusionSegLib.annotation_files import read_annotation
    from DiffusionSegLib.commands.terminal_progress import TerminalProgress
    from DiffusionSegLib.configuration import to_json
    from DiffusionSegLib.reading import read_volume
    from DiffusionSegLib.segmenter.segmenter import Segmenter
    from DiffusionSegLib.session import Session, SessionOptions
    from DiffusionSegLib.volume import Volume

    segmenter = Segmenter.load(arguments.segmenter)
    options = SessionOptions(bundle=arguments.bundle or segmenter.header.bundle, device=arguments.device)
    with closing(TerminalProgress()) as progress:
        session = Session(options, progress=progress)
        session.open(Volume.stack([read_volume(path) for path in arguments.volumes]))
        if arguments.labels is not None:
            session.annotate(read_annotation(arguments.labels))
        suggestions = session.suggest(segmenter, count=arguments.count)
    if arguments.json:
        print(json.dumps([to_json(suggestion) for suggestion in suggestions]))
        return 0
    print("axis  index  view      score")
    for suggestion in suggestions:
        print(f"{suggestion.axis:>4}  {suggestion.index:5d}  {suggestion.view:8}  {suggestion.score:.3f}")
    return 0
