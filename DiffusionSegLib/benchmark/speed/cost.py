"""What a piece of work costs: seconds, and memory beyond what was held before it."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from DiffusionSegLib.resident_memory import forget_peak, held_bytes, peak_bytes

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


def wait_for(device: torch.device) -> None:
    """Return when a device has done what it was told: a GPU is told of work long before it begins."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measured(work: Callable[[], Result], device: torch.device) -> tuple[Result, Cost]:
    """The work's result and its cost, on the CPU that of the process and on a GPU that of its tensors."""
    gc.collect()
    before = _reset_peak(device)
    started = time.perf_counter()
    result = work()
    wait_for(device)
    seconds = time.perf_counter() - started
    return result, Cost(seconds, None if before is None else max(_peak(device) - before, 0))


def measured_in_turn(
    works: Sequence[Callable[[], Any]], device: torch.device, repeats: int
) -> tuple[list[Any], list[Cost]]:
    """The results and costs of works that are to be compared, one after the other, again and again.

    Of all runs of a work the shortest counts, and the largest peak: other programs disturb now the one, now the other.
    """
    rounds = [[measured(work, device) for work in works] for _ in range(repeats)]
    costs = []
    for runs in zip(*rounds, strict=True):
        peaks = [cost.peak_bytes for _, cost in runs]
        known = [peak for peak in peaks if peak is not None]
        costs.append(Cost(min(cost.seconds for _, cost in runs), max(known) if known else None))
    return [result for result, _ in rounds[-1]], costs


def _reset_peak(device: torch.device) -> int | None:
    """Forget the peak so far and return what is held now, in bytes."""
    wait_for(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    # What the allocator keeps from earlier work would hide what this one takes.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
    return held_bytes() if forget_peak() else None


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated() if device.type == "cuda" else peak_bytes() or 0
