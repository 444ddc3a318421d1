"""`diffusionseg apply`: a trained segmenter on other scans."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.commands.options import add_bundle, add_device
from DiffusionSegLib.errors import DiffusionSegError

if TYPE_CHECKING:
    from DiffusionSegLib.segmenter.segmenter import Segmenter
    from DiffusionSegLib.session import Session


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("apply", help="segment other scans with a trained segmenter")
    parser.add_argument("segmenter", metavar="SEGMENTER", type=Path, help="file that segment --segmenter-out wrote")
    parser.add_argument("volumes", metavar="VOLUME", type=Path, nargs="+", help="scans, one after the other")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    add_bundle(parser)
    add_device(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Segment every scan that can be; 2 if one could not."""
    from DiffusionSegLib.commands.terminal_progress import TerminalProgress
    from DiffusionSegLib.reading import stem
    from DiffusionSegLib.segmenter.segmenter import Segmenter
    from DiffusionSegLib.session import Session, SessionOptions

    segmenter = Segmenter.load(arguments.segmenter)
    channels = segmenter.header.channels
    if len(arguments.volumes) % channels:
        message = f"The segmenter needs {channels} volumes a scan, but {len(arguments.volumes)} were given."
        raise DiffusionSegError(message, "Name the channels of each scan one after the other.")
    scans = [arguments.volumes[start : start + channels] for start in range(0, len(arguments.volumes), channels)]
    _check_names([stem(paths[0]) for paths in scans])
    options = SessionOptions(bundle=arguments.bundle or segmenter.header.bundle, device=arguments.device)
    session = Session(options, progress=TerminalProgress())
    segmenter.check_bundle(session.bundle)
    failed = 0
    for paths in scans:
        try:
            _apply(session, segmenter, paths, arguments.out)
        except DiffusionSegError as error:
            # One bad scan of many must not cost the others.
            sys.stderr.write(f"diffusionseg: {error}\n")
            failed += 1
    return 2 if failed else 0


def _check_names(stems: list[str]) -> None:
    for name in stems:
        if stems.count(name) > 1:
            message = f"Two scans are called {name}, so one result would replace the other."
            raise DiffusionSegError(message, "Rename one, or give them different folders with --out.")


def _apply(session: Session, segmenter: Segmenter, paths: list[Path], out: Path) -> None:
    from DiffusionSegLib.commands.result_folder import result_folder
    from DiffusionSegLib.reading import read_volume
    from DiffusionSegLib.volume import Volume
    from DiffusionSegLib.writing import write_volume

    volume = Volume.stack([read_volume(path) for path in paths])
    session.open(volume)
    prediction = session.predict(segmenter)
    with result_folder(out) as folder:
        write_volume(folder / f"{volume.stem}_segmentation.nii.gz", prediction.labelmap, prediction.grid)
        write_volume(folder / f"{volume.stem}_uncertainty.nii.gz", prediction.uncertainty, prediction.grid)
    print(f"Written {out / volume.stem}_segmentation.nii.gz")
