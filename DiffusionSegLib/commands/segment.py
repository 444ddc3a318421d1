"""`diffusionseg segment`: from painted slices of a scan to the whole volume."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.commands.options import add_bundle, add_device, add_seed
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning

if TYPE_CHECKING:
    from DiffusionSegLib.annotation import Annotation
    from DiffusionSegLib.commands.painted_scan import PaintedScan
    from DiffusionSegLib.prediction import Prediction
    from DiffusionSegLib.volume import Volume

LABELMAP, SEGMENTATION, UNCERTAINTY = "segmentation.nii.gz", "segmentation.seg.nrrd", "uncertainty.nii.gz"
OVERLAY, REPORT = "overlay.png", "report.json"


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("segment", help="learn from painted slices and segment the whole volume")
    parser.add_argument("volumes", metavar="VOLUME", type=Path, nargs="+", help="the scan; several are its channels")
    parser.add_argument("--labels", type=Path, required=True, help="label map, with its JSON file beside it")
    parser.add_argument(
        "--also",
        type=Path,
        nargs="+",
        action="append",
        default=[],
        metavar="FILE",
        help="another painted scan to learn from: its volume, or the channels, then its label map; for each scan anew",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--segmenter-out", type=Path, metavar="FILE", help="also keep the segmenter for other scans")
    parser.add_argument(
        "--keep-largest",
        type=int,
        nargs="*",
        default=[],
        metavar="VALUE",
        help="labels of which only the largest connected piece is kept, such as the brainstem's",
    )
    parser.add_argument(
        "--combine",
        choices=("mean", "vote"),
        default="mean",
        help="what decides: the mean of the members' probabilities, or a vote of the members (mean)",
    )
    add_bundle(parser)
    add_device(parser)
    add_seed(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Segment and write everything, or nothing."""
    from DiffusionSegLib.commands.kept_inputs import check_inputs_kept
    from DiffusionSegLib.commands.painted_scan import PaintedScan

    scan = PaintedScan(tuple(arguments.volumes), arguments.labels)
    others = [PaintedScan.of_files(files) for files in arguments.also]
    check_inputs_kept([path for one in (scan, *others) for path in one.files], _results(arguments))
    segment(scan.volume(), scan.annotation(), arguments, others)
    print(f"Written to {arguments.out}")
    return 0


def segment(
    volume: Volume, annotation: Annotation, arguments: argparse.Namespace, others: Sequence[PaintedScan] = ()
) -> Prediction:
    """Train on the annotation, and on other scans' beside it, predict the volume and write results and segmenter."""
    from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE
    from DiffusionSegLib.commands.result_folder import check_result_folder, result_folder
    from DiffusionSegLib.commands.terminal_progress import TerminalProgress
    from DiffusionSegLib.overlay import write_overlay
    from DiffusionSegLib.scan_memory import warn_of_memory
    from DiffusionSegLib.session import Session, SessionOptions
    from DiffusionSegLib.writing import write_segmentation, write_volume

    options = SessionOptions(
        bundle=arguments.bundle or DEFAULT_BUNDLE,
        device=arguments.device,
        seed=arguments.seed,
        keep_largest=tuple(arguments.keep_largest),
        combine=arguments.combine,
    )
    check_result_folder(arguments.out)
    if arguments.segmenter_out is not None:
        _check_segmenter_path(arguments.segmenter_out)
    # Before the features of other scans are computed for nothing.
    annotation.check_on(volume.grid)
    for other in others:
        other.check_channels(len(volume.data))
    with closing(TerminalProgress()) as progress:
        session = Session(options, progress=progress)
        beside = [other.lesson(session) for other in others]
        session.open(volume)
        warn_of_memory(session, volume)
        session.annotate(annotation)
        segmenter = session.train(beside=beside)
        _warn_of_labels_not_there(arguments.keep_largest, segmenter.header.values)
        prediction = session.predict()
    with result_folder(arguments.out) as folder:
        with session.report.stage("writing"):
            write_volume(folder / LABELMAP, prediction.labelmap, prediction.grid)
            write_volume(folder / UNCERTAINTY, prediction.uncertainty, prediction.grid)
            path = folder / SEGMENTATION
            write_segmentation(path, prediction.labelmap, prediction.grid, prediction.labels)
            write_overlay(folder / OVERLAY, volume.data[0], prediction, annotation.complete_slices)
        report = json.dumps(session.report.to_json(), indent=1)
        (folder / REPORT).write_text(report + "\n", encoding="utf-8")
        if arguments.segmenter_out is not None:
            segmenter.save(arguments.segmenter_out)
    return prediction


def _warn_of_labels_not_there(values: Sequence[int], learnt: Sequence[int]) -> None:
    for value in sorted({*values} - {*learnt}):
        message = f"The label {value}, of which only the largest piece is to be kept, is not in the painting."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)


def _results(arguments: argparse.Namespace) -> list[Path]:
    names = (LABELMAP, SEGMENTATION, UNCERTAINTY, OVERLAY, REPORT)
    segmenter = [] if arguments.segmenter_out is None else [arguments.segmenter_out]
    return [*(arguments.out / name for name in names), *segmenter]


def _check_segmenter_path(path: Path) -> None:
    from DiffusionSegLib.commands.result_folder import check_result_folder

    if path.is_dir():
        raise DiffusionSegError(f"{path} is a folder, not a file for the segmenter.", "Give a name for the file, too.")
    check_result_folder(path.parent)
