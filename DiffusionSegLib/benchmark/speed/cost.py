"""What a piece of work costs: seconds, and memory beyond what was held before it."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """What a piece of work cost.

    Args:
        seconds: of wall clock.
        peak_bytes: most memory that it held at a time beyond what was held before; None where that cannot be told.
    """

    seconds: float
    peak_bytes: int | None


def measured(work: Callable[[], Result], device: torch.device, repeats: int = 1) -> tuple[Result, Cost]:
    """The work's result and its cost, on the CPU that of the process and on a GPU that of its tensors.

    Of several repeats the shortest counts, which other programs disturb least, and the largest peak.
    """
    seconds, peaks = [], []
    for _ in range(repeats):
        gc.collect()
        before = _reset_peak(device)
        started = time.perf_counter()
        result = work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
        peaks.append(None if before is None else max(_peak(device) - before, 0))
    return result, Cost(min(seconds), None if peaks[0] is None else max(peak for peak in peaks if peak is not None))


def _reset_peak(device: torch.device) -> int | None:
    """Forget the peak so far and return what is held now, in bytes."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    if not sys.platform.startswith("linux"):
        return None
    # What the allocator keeps from earlier work would hide what this one takes.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    return _status("VmRSS")


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated() if device.type == "cuda" else _status("VmHWM")


def _status(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found is not None
    return 1024 * int(found[1])
