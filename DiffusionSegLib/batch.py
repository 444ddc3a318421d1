"""One trained segmenter for many scans: everything is loaded once."""

from __future__ import annotations

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
        progress: told how far the scan is that is being segmented.

    Raises:
        DiffusionSegError: if the file is no segmenter, a channel is missing, two scans have the same name and so the
            same results, or the denoisers are missing or others.
    """

    def __init__(
        self,
        segmenter: Path,
        volumes: Sequence[Path],
        *,
        bundle: str | None = None,
        device: str = "auto",
        progress: Progress = silent,
    ) -> None:
        self._segmenter = Segmenter.load(segmenter)
        header = self._segmenter.header
        self.scans = _by_scan(volumes, header.channels)
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
            warn_of_memory(self._session, volume.grid, learning=False)
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
