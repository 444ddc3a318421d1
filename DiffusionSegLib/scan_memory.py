"""Telling of a scan that will hardly fit into memory, before any of it is computed."""

from __future__ import annotations

import warnings

from DiffusionSegLib.devices import available_gpu_memory
from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.free_memory import available_memory
from DiffusionSegLib.memory_warning import gpu_memory_warning, memory_warning
from DiffusionSegLib.scan_estimate import estimate
from DiffusionSegLib.session import Session
from DiffusionSegLib.volume import Volume


def warn_of_memory(session: Session, volume: Volume, *, learning: bool = True) -> None:
    """Tell where the memory will hardly suffice for a scan; nobody is kept from trying.

    Args:
        session: what will work on it.
        volume: the scan.
        learning: whether a segmenter will be trained on it, too.
    """
    ensemble = session.options.ensemble
    needed = estimate(
        session.bundle,
        session.denoisers,
        volume.grid,
        ensemble,
        channels=len(volume.data),
        timed=False,
        learning=learning,
    )
    on_gpu = gpu_memory_warning(needed.gpu_bytes, available_gpu_memory(session.device))
    for warning in (memory_warning(needed.bytes, available_memory()), on_gpu):
        if warning is not None:
            warnings.warn(warning, DiffusionSegWarning, stacklevel=2)
