"""How long each stage took and how much memory it needed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from DiffusionSegLib.resident_memory import forget_peak, peak_bytes


@dataclass
class StageReport:
    """Seconds and peak resident memory of each stage, with what else is worth knowing about a run."""

    device: str = ""
    voxels_trained: int = 0
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    _peak: int | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside; a stage that comes again adds up."""
        self._note_peak()
        forget_peak()
        start = time.perf_counter()
        try:
            yield
        finally:
            entry = self.stages.setdefault(name, {"seconds": 0.0, "peak_memory_mb": None})
            entry["seconds"] += time.perf_counter() - start
            entry["peak_memory_mb"] = _larger(entry["peak_memory_mb"], _megabytes(peak_bytes()))

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object.

        What the allocator keeps for later counts as held. Where a peak cannot be forgotten, as on macOS, the memory of
        a stage is the process's peak up to its end.
        """
        self._note_peak()
        return {
            "device": self.device,
            "voxels_trained": self.voxels_trained,
            "seconds": round(sum(entry["seconds"] for entry in self.stages.values()), 2),
            "peak_memory_mb": self._peak,
            "stages": {
                name: {"seconds": round(entry["seconds"], 2), "peak_memory_mb": entry["peak_memory_mb"]}
                for name, entry in self.stages.items()
            },
        }

    def _note_peak(self) -> None:
        self._peak = _larger(self._peak, _megabytes(peak_bytes()))


def _megabytes(size: int | None) -> int | None:
    return None if size is None else round(size / 2**20)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((size for size in (one, other) if size is not None), default=None)
