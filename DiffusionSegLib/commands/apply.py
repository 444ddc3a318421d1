"""`diffusionseg apply`: a trained segmenter on other scans."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.commands.options import add_bundle, add_device
from DiffusionSegLib.commands.terminal_messages import tell, warnings_on_one_line
from DiffusionSegLib.errors import DiffusionSegError

if TYPE_CHECKING:
    from DiffusionSegLib.batch import Batch

LABELMAP, UNCERTAINTY = "{}_segmentation.nii.gz", "{}_uncertainty.nii.gz"


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
    from DiffusionSegLib.batch import Batch
    from DiffusionSegLib.commands.kept_inputs import check_inputs_kept
    from DiffusionSegLib.commands.result_folder import check_result_folder
    from DiffusionSegLib.commands.terminal_progress import TerminalProgress
    from DiffusionSegLib.reading import stem

    results = (
        arguments.out / name.format(stem(path)) for path in arguments.volumes for name in (LABELMAP, UNCERTAINTY)
    )
    check_inputs_kept([arguments.segmenter, *arguments.volumes], results)
    check_result_folder(arguments.out)
    failed = 0
    with closing(TerminalProgress()) as progress:
        batch = Batch(
            arguments.segmenter,
            arguments.volumes,
            bundle=arguments.bundle,
            device=arguments.device,
            progress=progress,
        )
        for paths in batch.scans:
            try:
                with warnings_on_one_line(paths[0]):
                    _apply(batch, paths, arguments.out)
            except DiffusionSegError as error:
                progress.close()
                # One bad scan of many must not cost the others.
                tell(f"{paths[0]}: {error}")
                failed += 1
    return 2 if failed else 0


def _apply(batch: Batch, paths: list[Path], out: Path) -> None:
    from DiffusionSegLib.commands.result_folder import result_folder
    from DiffusionSegLib.writing import write_volume

    volume, prediction = batch.segment(paths)
    with result_folder(out) as folder:
        write_volume(folder / LABELMAP.format(volume.stem), prediction.labelmap, prediction.grid)
        write_volume(folder / UNCERTAINTY.format(volume.stem), prediction.uncertainty, prediction.grid)
    print(f"Written {out / LABELMAP.format(volume.stem)}", flush=True)
