"""Which files a pretraining learns from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib.dicom_series import holds_dicom
from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.reading import NIBABEL_ENDINGS, SIMPLEITK_ENDINGS, stem
from DiffusionSegLib.segment_header import ENDING as SEGMENTATION_ENDING

# As the Brain Imaging Data Structure calls what lies beside images.
LABEL_MAP_NAMES = ("_dseg", "_mask", "_label", "_labels", "_probseg")


def found_scans(places: Sequence[Path], channels: Sequence[str] = ()) -> list[tuple[Path, ...]]:
    """The files of each scan, as `found_images` finds them.

    Args:
        places: files and folders.
        channels: how the names of a scan's files end, one for each of its channels; files of a folder that are called
            alike but for that belong together. Without any, each file is a scan of one channel.

    Returns:
        The files of each scan in the order of the channels. How many belong to no whole scan is warned of.
    """
    images = found_images(places)
    if not channels:
        return [(path,) for path in images]
    scans: dict[Path, dict[str, Path]] = {}
    for path in images:
        name = stem(path)
        # T1w is an end of ce-gd_T1w, too.
        fitting = [channel for channel in channels if name.endswith(channel)]
        if fitting:
            channel = max(fitting, key=len)
            scans.setdefault(path.parent / name.removesuffix(channel), {})[channel] = path
    whole = [tuple(files[channel] for channel in channels) for files in scans.values() if len(files) == len(channels)]
    left_out = len(images) - len(channels) * len(whole)
    if left_out:
        message = f"{left_out} of {len(images)} files are left out: they belong to no scan that has all channels."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
    return whole


def found_images(places: Sequence[Path]) -> list[Path]:
    """As `found_files`, but for those in folders that are called label maps; how many these are is warned of."""
    found = []
    for place in places:
        files = found_files([place])
        images = [path for path in files if path == place or not _is_called_label_map(path)]
        if len(images) < len(files):
            left_out = f"{len(files) - len(images)} of {len(files)} files in {place} are left out"
            warnings.warn(f"{left_out}: their names are those of label maps.", DiffusionSegWarning, stacklevel=2)
        found += images
    return found


def found_files(places: Sequence[Path]) -> list[Path]:
    """The files named, and those with a known ending anywhere below the folders named, sorted.

    A folder without such files stands for the DICOM series in it and in the folders below, each in one of its own.
    """
    return [path for place in places for path in (_found_below(place) if place.is_dir() else [place])]


def _is_called_label_map(path: Path) -> bool:
    return path.name.lower().endswith(SEGMENTATION_ENDING) or stem(path).lower().endswith(LABEL_MAP_NAMES)


def _found_below(folder: Path) -> list[Path]:
    # Names with a point in front are hidden: macOS leaves such files, which are no scans, beside each scan.
    below = [path for path in sorted(folder.rglob("*")) if not path.name.startswith(".")]
    files = [path for path in below if path.name.lower().endswith((*NIBABEL_ENDINGS, *SIMPLEITK_ENDINGS))]
    return files or [place for place in (folder, *filter(Path.is_dir, below)) if holds_dicom(place)]
