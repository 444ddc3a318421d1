#!/usr/bin/env python-real
"""Segments many scans with one trained segmenter: in Slicer's module list, from a script and in a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BACKEND = "DiffusionSegLib"
RESULT, UNCERTAINTY = "{}.seg.nrrd", "{}_uncertainty.nrrd"
ENDINGS = (".nii", ".nii.gz", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd")
# By which share of a scan's time a stage begins and ends.
STAGES = {"features": (0.0, 0.9), "prediction": (0.9, 1.0)}


def main(arguments: Sequence[str]) -> int:
    """Segment every scan that can be; 0 if all were, 2 otherwise."""
    chosen = _parser().parse_args(arguments)
    make_backend_importable()
    try:
        from DiffusionSegLib.commands.terminal_messages import refusal, tell_in_any_encoding, warnings_on_one_line
        from DiffusionSegLib.errors import DiffusionSegError
    except ImportError as error:
        return _told(f"What computes is not installed beside this script: {error}.")
    tell_in_any_encoding()
    try:
        with warnings_on_one_line():
            return _run(chosen)
    except ImportError as error:
        return _told(f"{error}. Open the module DiffusionSeg once and press Train: it installs what is missing.")
    except DiffusionSegError as error:
        return _told(str(error))
    except OSError as error:
        return _told(refusal(error))


def make_backend_importable() -> None:
    """Find the backend: in a clone it lies one folder up, in an installed extension beside the scripted modules."""
    here = Path(__file__).resolve().parent
    for folder in (here.parent, here.parent / "qt-scripted-modules", here.parent.parent / "qt-scripted-modules"):
        if (folder / BACKEND).is_dir() and str(folder) not in sys.path:
            sys.path.append(str(folder))
            return


class SlicerProgress:
    """Tells Slicer, by what is printed, how far all `scans` together are; to be used as a `Progress`."""

    def __init__(self) -> None:
        self.scans = 1
        self._finished, self._shown = 0, -1

    def __call__(self, stage: str, done: int, total: int) -> None:
        first, last = STAGES.get(stage.split(",", maxsplit=1)[0], (0.0, 0.0))
        if last > 0 and total > 0:
            self._show(self._finished + first + (last - first) * done / total)

    def next_scan(self) -> None:
        """A scan is finished, or given up."""
        self._finished += 1
        self._show(self._finished)

    def _show(self, scans_done: float) -> None:
        percent = int(100 * scans_done / self.scans)
        if percent > self._shown:
            self._shown = percent
            print(f"<filter-progress>{percent / 100}</filter-progress>", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", nargs="*", type=Path, help="scans, or their channels one after the other")
    parser.add_argument("--segmenter", type=Path, required=True, help="file that was saved after training")
    parser.add_argument("--inputVolume", type=Path, help="a single scan")
    parser.add_argument("--outputLabelmap", type=Path, help="where its labels go")
    parser.add_argument("--outputUncertainty", type=Path, help="where its uncertainty goes")
    parser.add_argument(
        "--inputFolder", type=Path, help="folder whose scans are segmented, DICOM series in sub-folders"
    )
    parser.add_argument("--outputFolder", type=Path, help="folder for the results of all scans")
    parser.add_argument("--skipDone", action="store_true", help="leave out scans that have their result already")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what computes (auto)")
    parser.add_argument("--bundle", default="", help="pretrained model (the one that the segmenter was trained with)")
    return parser


def _run(chosen: argparse.Namespace) -> int:
    from DiffusionSegLib.errors import DiffusionSegError

    volumes = _volumes(chosen)
    if chosen.inputVolume and not (chosen.outputLabelmap or chosen.outputFolder):
        raise DiffusionSegError("There is no place for the result.", "Choose an output label map or an output folder.")
    if chosen.outputFolder is None and (chosen.scans or chosen.inputFolder):
        raise DiffusionSegError("There is no folder for the results.", "Choose an output folder.")
    from DiffusionSegLib.batch import Batch
    from DiffusionSegLib.commands.kept_inputs import check_inputs_kept
    from DiffusionSegLib.commands.result_folder import check_result_folder
    from DiffusionSegLib.commands.terminal_messages import warnings_on_one_line

    check_inputs_kept([chosen.segmenter, *volumes], _results(chosen, volumes))
    if chosen.outputFolder is not None:
        check_result_folder(chosen.outputFolder)
    progress = SlicerProgress()
    batch = Batch(
        chosen.segmenter,
        volumes,
        bundle=chosen.bundle or None,
        device=chosen.device,
        by_name=chosen.inputFolder is not None,
        progress=progress,
    )
    progress.scans, failed = len(batch.scans), 0
    print("<filter-start><filter-name>DiffusionSeg Batch</filter-name></filter-start>", flush=True)
    for channels in batch.scans:
        try:
            with warnings_on_one_line(channels[0].name):
                _segment(batch, channels, chosen)
        except DiffusionSegError as error:
            # One bad scan of many must not cost the others.
            failed += 1
            _told(f"{channels[0].name}: {error}")
        progress.next_scan()
    print("<filter-end><filter-name>DiffusionSeg Batch</filter-name></filter-end>", flush=True)
    return 2 if failed else 0


def _volumes(chosen: argparse.Namespace) -> list[Path]:
    from DiffusionSegLib.errors import DiffusionSegError

    volumes = [*chosen.scans, *([chosen.inputVolume] if chosen.inputVolume else [])]
    if chosen.inputFolder is not None:
        if not chosen.inputFolder.is_dir():
            raise DiffusionSegError(f"There is no folder {chosen.inputFolder}.", "Check the name.")
        results = chosen.outputFolder and chosen.outputFolder.resolve()
        found = (path for path in chosen.inputFolder.iterdir() if _is_scan(path) and path.resolve() != results)
        volumes += sorted(found)
    if not volumes:
        raise DiffusionSegError("There is no scan to segment.", "Choose a volume, or a folder with scans.")
    return volumes


def _results(chosen: argparse.Namespace, volumes: Sequence[Path]) -> list[Path]:
    from DiffusionSegLib.reading import stem

    single = [path for path in (chosen.outputLabelmap, chosen.outputUncertainty) if path is not None]
    if chosen.outputFolder is None:
        return single
    return single + [
        chosen.outputFolder / name.format(stem(path)) for path in volumes for name in (RESULT, UNCERTAINTY)
    ]


def _is_scan(path: Path) -> bool:
    name = path.name.lower()
    # The results may lie in the same folder as the scans.
    result = name.endswith((RESULT.format(""), UNCERTAINTY.format("")))
    return not (result or name.startswith(".")) and (path.is_dir() or name.endswith(ENDINGS))


def _segment(batch: Any, channels: list[Path], chosen: argparse.Namespace) -> None:
    from DiffusionSegLib.reading import stem
    from DiffusionSegLib.writing import write_segmentation, write_volume

    name, folder = stem(channels[0]), chosen.outputFolder
    if folder is not None and chosen.skipDone and (folder / RESULT.format(name)).exists():
        return
    _, found = batch.segment(channels)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_volume(folder / UNCERTAINTY.format(name), found.uncertainty, found.grid)
        # Last: a scan that has its segmentation is finished.
        write_segmentation(folder / RESULT.format(name), found.labelmap, found.grid, found.labels)
        print(f"Written {folder / RESULT.format(name)}", flush=True)
    if channels[0] == chosen.inputVolume:
        if chosen.outputLabelmap is not None:
            write_volume(chosen.outputLabelmap, found.labelmap, found.grid)
        if chosen.outputUncertainty is not None:
            write_volume(chosen.outputUncertainty, found.uncertainty, found.grid)


def _told(message: str) -> int:
    sys.stderr.write(f"DiffusionSegBatch: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
