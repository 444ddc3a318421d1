"""`diffusionseg benchmark`: the protocols of the papers, what the computation costs, and how long a user waits."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import add_bundle, add_device, positive
from DiffusionSegLib.extras import not_installed

METHODS = ("ours", "forest", "untrained", "syn", "unet", "unet-denoising")
# The others are asked for: registration and U-Nets take longer than all of these together.
USUAL_METHODS = METHODS[:3]
OWN_METHODS = METHODS[:2]
SETTINGS = ("9", "9+background", "15", "30", "volume")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("benchmark", help="measure accuracy by the papers' protocols, and speed")
    kinds = parser.add_subparsers(metavar="PROTOCOL", required=True)
    nine = _add(kinds, "nine-slices", "nine_slices", "few painted slices of one person, then other people")
    nine.add_argument("--methods", nargs="+", choices=METHODS, default=USUAL_METHODS)
    nine.add_argument("--settings", nargs="+", choices=SETTINGS, default=SETTINGS)
    _add_people(nine, "segmented")
    nine.add_argument(
        "--train-on", nargs="+", metavar="PERSON", help="who is annotated, one after the other (who is in split train)"
    )
    nine.add_argument("--unet-steps", type=int, metavar="N", help="of U-Nets in each setting (2000)")
    nine.add_argument(
        "--pretraining-steps",
        type=int,
        metavar="N",
        help="of unet-denoising (as many crops as brain-t1 was trained on)",
    )
    nine.add_argument(
        "--unet-weights", type=Path, metavar="FILE", help="keeps the pretrained weights of unet-denoising"
    )
    nine.add_argument("--json", type=Path, metavar="FILE", help="also write all scores")
    what = "learning from one painted person, two, and more, then other people"
    several = _add(kinds, "several-people", "several_people", what)
    several.add_argument("--settings", nargs="+", choices=SETTINGS, default=("9+background", "volume"))
    _add_people(several, "segmented, but for those who are annotated")
    several.add_argument("--train-on", nargs="+", metavar="PERSON", required=True, help="who is annotated, in order")
    several.add_argument("--json", type=Path, metavar="FILE", help="also write all scores")
    own = _add(
        kinds, "own-scans", "own_scans", "nine slices of any scan that has a reference: the rest of it", data=False
    )
    own.add_argument(
        "--scan",
        nargs="+",
        action="append",
        required=True,
        type=Path,
        metavar="FILE",
        help="the volume, or its channels, and last its reference, a label map; again for further scans",
    )
    own.add_argument("--methods", nargs="+", choices=OWN_METHODS, default=OWN_METHODS)
    own.add_argument("--apart", type=positive(float), default=10.0, metavar="MM", help="between slices of a view (10)")
    own.add_argument("--json", type=Path, metavar="FILE", help="also write all scores")
    _add(kinds, "views", "views", "one, two, three views, and ways to fuse them")
    _add(kinds, "choices", "choices", "what each choice of our method is worth: one after the other undone")
    what = "whether probabilities and uncertainty mean what they say"
    calibration = _add(kinds, "calibration", "calibration", what)
    calibration.add_argument("--setting", choices=SETTINGS, default="9+background", help="(9+background)")
    _add_people(calibration, "segmented")
    calibration.add_argument(
        "--margin", type=float, default=5.0, metavar="MM", help="how far around structures voxels count (5)"
    )
    _add_output(calibration)
    what = "whether painting the suggested slices pays: Dice against slices"
    suggestions = _add(kinds, "suggestions", "suggestions", what)
    _add_people(suggestions, "painted")
    suggestions.add_argument("--more", type=int, default=6, metavar="N", help="slices painted on top of the nine (6)")
    suggestions.add_argument("--at-once", type=int, default=1, metavar="N", help="slices painted between trainings (1)")
    suggestions.add_argument("--seeds", type=int, default=3, metavar="N", help="how often chance chooses instead (3)")
    _add_output(suggestions)
    _add(kinds, "preview", "preview", "how long it takes from Train to the slices in view and to the volume")
    what = "our computation beside the published one, a forest and Slicer's effects"
    speed = _add(kinds, "speed", "speed.command", what, without_data="a phantom")
    size_help = "voxels of the scan's edges (96 of the phantom, all of a scan)"
    speed.add_argument("--size", type=int, metavar="N", help=size_help)
    speed.add_argument("--naive", action="store_true", help="the published pipeline on the whole scan, fits or not")
    grid_help = "instead, the peak memory of segmenting a synthetic head on such a grid of half millimetres"
    speed.add_argument("--grid", type=int, nargs=3, metavar=("I", "J", "K"), help=grid_help)
    plot_help = "also draw costs against size, labels and members, and the roofline"
    speed.add_argument("--plot", type=Path, metavar="FILE", help=plot_help)
    speed.add_argument("--json", nargs="?", const="-", metavar="FILE", help="also write all figures (standard output)")


def _add_people(parser: Any, what: str) -> None:
    parser.add_argument("--people", choices=("test", "validation"), default="test", help=f"who is {what} (test)")


def _add_output(parser: Any) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw them, such as curve.png")


def _add(kinds: Any, name: str, module: str, what: str, *, data: bool = True, without_data: str | None = None) -> Any:
    """A protocol that a module of `DiffusionSegLib.benchmark` runs, and what all of them can be told."""
    parser = kinds.add_parser(name, help=what)
    if data:
        folder = "folder with labelled/ and dseg.tsv" + (f" ({without_data})" if without_data else "")
        parser.add_argument("--data", type=Path, required=without_data is None, metavar="DIR", help=folder)
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=lambda arguments: _protocol(module).run(arguments))
    return parser


def _protocol(module: str) -> Any:
    """The module that runs a protocol: imported only now, since it needs torch and libraries of an extra.

    Raises:
        DiffusionSegError: if one of these libraries is missing.
    """
    try:
        return import_module(f"DiffusionSegLib.benchmark.{module}")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("DiffusionSegLib"):
            raise
        raise not_installed("benchmark", f"The benchmark needs the package {error.name}") from error
