"""How long each stage took and how much memory it needed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class StageReport:
    """Seconds and peak resident memory of each stage, with what else is worth knowing about a run."""

    device: str = ""
    voxels_trained: int = 0
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside; a stage that comes again adds up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            entry = self.stages.setdefault(name, {"seconds": 0.0, "peak_memory_mb": None})
            entry["seconds"] += time.perf_counter() - start
            entry["peak_memory_mb"] = peak_memory_mb()

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object; the memory of a stage is the process's peak up to its end."""
        return {
            "device": self.device,
            "voxels_trained": self.voxels_trained,
            "seconds": round(sum(entry["seconds"] for entry in self.stages.values()), 2),
            "peak_memory_mb": peak_memory_mb(),
            "stages": {
                name: {"seconds": round(entry["seconds"], 2), "peak_memory_mb": entry["peak_memory_mb"]}
                for name, entry in self.stages.items()
            },
        }


def peak_memory_mb() -> int | None:
    """The largest resident memory that this process has had, in megabytes; None where it is not known (Windows)."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
