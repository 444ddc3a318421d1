"""`diffusionseg benchmark`: the protocols of the papers, what the computation costs, and how long a user waits."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import add_bundle, add_device

METHODS = ("ours", "forest", "untrained")
SETTINGS = ("9", "9+background", "15", "30", "volume")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("benchmark", help="measure accuracy by the papers' protocols, and speed")
    kinds = parser.add_subparsers(metavar="PROTOCOL", required=True)
    _add_nine_slices(kinds)
    _add_views(kinds)
    _add_preview(kinds)
    _add_speed(kinds)


def _add_nine_slices(kinds: Any) -> None:
    parser = kinds.add_parser("nine-slices", help="few painted slices of one person, then other people")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with labelled/ and dseg.tsv")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=SETTINGS)
    parser.add_argument("--people", choices=("test", "validation"), default="test", help="who is segmented (test)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all scores")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=_run_nine_slices)


def _add_views(kinds: Any) -> None:
    parser = kinds.add_parser("views", help="one, two, three views, and ways to fuse them")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with labelled/ and dseg.tsv")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=_run_views)


def _add_preview(kinds: Any) -> None:
    parser = kinds.add_parser("preview", help="how long it takes from Train to the slices in view and to the volume")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with labelled/ and dseg.tsv")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=_run_preview)


def _add_speed(kinds: Any) -> None:
    parser = kinds.add_parser("speed", help="our computation beside the published one, a forest and Slicer's effects")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with labelled/ and dseg.tsv (a phantom)")
    parser.add_argument("--size", type=int, default=96, metavar="N", help="voxels of the scan's edges (96)")
    parser.add_argument("--naive", action="store_true", help="the published pipeline on the whole scan, not on a part")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="also write all figures (standard output)")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=_run_speed)


def _run_nine_slices(arguments: argparse.Namespace) -> int:
    from DiffusionSegLib.benchmark.nine_slices import run

    return run(arguments)


def _run_views(arguments: argparse.Namespace) -> int:
    from DiffusionSegLib.benchmark.views import run

    return run(arguments)


def _run_preview(arguments: argparse.Namespace) -> int:
    from DiffusionSegLib.benchmark.preview import run

    return run(arguments)


def _run_speed(arguments: argparse.Namespace) -> int:
    from DiffusionSegLib.benchmark.speed.command import run

    return run(arguments)
