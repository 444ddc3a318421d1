"""One trained segmenter for many scans: everything is loaded once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.memory_shortage import shortage_told
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.reading import read_volume, stem
from DiffusionSegLib.scan_memory import warn_of_memory
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.volume import Volume


class Batch:
    """A segmenter with its denoisers, and the scans that it is to segment.

    Args:
        segmenter: its file.
        volumes: the scans one after the other, each with as many channels as the segmenter needs.
        bundle: name or folder of the denoisers; None for those that it was trained with.
        device: "auto", "cpu" or "cuda".
        by_name: whether nobody has put the volumes in order, so that their names must tell which are channels of one
            scan.
        progress: told how far the scan is that is being segmented.

    Raises:
        DiffusionSegError: if the file is no segmenter, a channel is missing or may be another scan's, two scans have
            the same name and so the same results, or the denoisers are missing or others.
    """

    def __init__(
        self,
        segmenter: Path,
        volumes: Sequence[Path],
        *,
        bundle: str | None = None,
        device: str = "auto",
        by_name: bool = False,
        progress: Progress = silent,
    ) -> None:
        self._segmenter = Segmenter.load(segmenter)
        header = self._segmenter.header
        self.scans = _by_scan(volumes, header.channels)
        if by_name and header.channels > 1:
            _check_names(self.scans)
        self._session = Session(SessionOptions(bundle=bundle or header.bundle, device=device), progress=progress)
        self._segmenter.check_bundle(self._session.bundle)
        # Of the scans so far: what is told of one need not be told of others that are as large.
        self._sizes: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()

    def segment(self, channels: Sequence[Path]) -> tuple[Volume, Prediction]:
        """One of the scans and what was found in it.

        Raises:
            DiffusionSegError: if it cannot be read, is no scan for this segmenter, or does not fit into memory.
        """
        with shortage_told():
            return self._segmented(channels)

    def _segmented(self, channels: Sequence[Path]) -> tuple[Volume, Prediction]:
        volume = Volume.stack([read_volume(path) for path in channels])
        self._session.open(volume)
        model_grid = ModelGrid.for_grid(volume.grid, self._session.bundle.config.spacing_mm).grid
        sizes = (volume.grid.shape, model_grid.shape)
        if sizes not in self._sizes:
            warn_of_memory(self._session, volume, learning=False)
        self._sizes.add(sizes)
        return volume, self._session.predict(self._segmenter)


def _by_scan(volumes: Sequence[Path], channels: int) -> list[list[Path]]:
    if len(volumes) % channels:
        message = f"The segmenter needs {channels} volumes a scan, but {len(volumes)} were given."
        raise DiffusionSegError(message, "Name the channels of each scan one after the other.")
    scans = [list(volumes[start : start + channels]) for start in range(0, len(volumes), channels)]
    names = [stem(paths[0]) for paths in scans]
    # Windows and macOS take names that only differ by capital letters for the same file.
    folded = [name.casefold() for name in names]
    for name in names:
        if folded.count(name.casefold()) > 1:
            message = f"Two scans are called {name}, so one result would replace the other."
            raise DiffusionSegError(message, "Rename one, or give them different folders for the results.")
    return scans


def _check_names(scans: Sequence[Sequence[Path]]) -> None:
    """Raise a DiffusionSegError unless the channels of each scan begin alike, as no other does, and end as all do."""
    names = [[stem(path) for path in paths] for paths in scans]
    starts = [os.path.commonprefix(stems) for stems in names]  # noqa: RUF071 (letters are meant, no folders)
    ends = [[name.removeprefix(start) for name in stems] for start, stems in zip(starts, names, strict=True)]
    counts = [sum(name.startswith(start) for stems in names for name in stems) for start in starts]
    if any(count > len(scans[0]) for count in counts) or any(found != ends[0] for found in ends):
        message = f"The names in the folder do not tell which of them are the {len(scans[0])} channels of one scan."
        hint = "Let those of each scan begin alike and end as in all others, or name them one after the other instead."
        raise DiffusionSegError(message, hint)
