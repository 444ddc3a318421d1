"""`diffusionseg benchmark`: the protocols of the papers, what the computation costs, and how long a user waits."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import add_bundle, add_device

METHODS = ("ours", "forest", "untrained")
SETTINGS = ("9", "9+background", "15", "30", "volume")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("benchmark", help="measure accuracy by the papers' protocols, and speed")
    kinds = parser.add_subparsers(metavar="PROTOCOL", required=True)
    nine = _add(kinds, "nine-slices", "nine_slices", "few painted slices of one person, then other people")
    nine.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    nine.add_argument("--settings", nargs="+", choices=SETTINGS, default=SETTINGS)
    nine.add_argument("--people", choices=("test", "validation"), default="test", help="who is segmented (test)")
    nine.add_argument("--json", type=Path, metavar="FILE", help="also write all scores")
    _add(kinds, "views", "views", "one, two, three views, and ways to fuse them")
    _add(kinds, "preview", "preview", "how long it takes from Train to the slices in view and to the volume")
    what = "our computation beside the published one, a forest and Slicer's effects"
    speed = _add(kinds, "speed", "speed.command", what, without_data="a phantom")
    size_help = "voxels of the scan's edges (96 of the phantom, all of a scan)"
    speed.add_argument("--size", type=int, metavar="N", help=size_help)
    speed.add_argument("--naive", action="store_true", help="the published pipeline on the whole scan, not on a part")
    grid_help = "instead, the peak memory of segmenting a synthetic head on such a grid of half millimetres"
    speed.add_argument("--grid", type=int, nargs=3, metavar=("I", "J", "K"), help=grid_help)
    plot_help = "also draw costs against size, labels and members, and the roofline"
    speed.add_argument("--plot", type=Path, metavar="FILE", help=plot_help)
    speed.add_argument("--json", nargs="?", const="-", metavar="FILE", help="also write all figures (standard output)")


def _add(kinds: Any, name: str, module: str, what: str, *, without_data: str | None = None) -> Any:
    """A protocol that a module of `DiffusionSegLib.benchmark` runs, and what all of them can be told."""
    parser = kinds.add_parser(name, help=what)
    folder = "folder with labelled/ and dseg.tsv" + (f" ({without_data})" if without_data else "")
    parser.add_argument("--data", type=Path, required=without_data is None, metavar="DIR", help=folder)
    add_bundle(parser)
    add_device(parser)
    # Imported only when it runs: it needs torch, and libraries of an extra.
    parser.set_defaults(run=lambda arguments: import_module(f"DiffusionSegLib.benchmark.{module}").run(arguments))
    return parser
