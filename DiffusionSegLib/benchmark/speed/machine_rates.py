"""What the machine can do at best, measured: the roof that computations are held against."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from DiffusionSegLib.benchmark.speed.cost import Cost, wait_for
from DiffusionSegLib.benchmark.speed.operation_count import OperationCount
from DiffusionSegLib.linear_layer import linear

REPEATS = 5
MATRIX_EDGE = {"cpu": 1024, "cuda": 4096}
# Larger than caches.
COPIED_FLOATS = {"cpu": 2**25, "cuda": 2**28}


@dataclass(frozen=True)
class MachineRates:
    """Best measured rates.

    Args:
        operations: of products of large float32 matrices, a second (a multiplication and an addition are two).
        bytes: read and written while a large tensor is copied, a second.
    """

    operations: float
    bytes: float

    @classmethod
    def measure(cls, device: torch.device) -> MachineRates:
        edge = MATRIX_EDGE[device.type]
        first, second = (torch.rand(edge, edge, device=device) for _ in range(2))
        product = torch.empty_like(first)
        # By whichever library is quicker at them.
        products = (lambda: torch.mm(first, second, out=product), lambda: linear(first, second))
        source = torch.rand(COPIED_FLOATS[device.type], device=device)
        target = torch.empty_like(source)
        return cls(
            2 * edge**3 / min(best_seconds(work, device) for work in products),
            2 * 4 * len(source) / best_seconds(lambda: target.copy_(source), device),
        )


@dataclass(frozen=True)
class Roofline:
    """A stage against the roof.

    Args:
        by_operations: seconds that its operations take at the machine's best rate.
        by_bytes: seconds that its bytes take.
        seconds: that it took.
    """

    by_operations: float
    by_bytes: float
    seconds: float

    @classmethod
    def of(cls, cost: Cost, count: OperationCount, rates: MachineRates) -> Roofline:
        return cls(count.operations / rates.operations, count.bytes / rates.bytes, cost.seconds)

    @property
    def share(self) -> float:
        """The larger floor as a share of the time that was taken."""
        return max(self.by_operations, self.by_bytes) / self.seconds


def best_seconds(work: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """The shortest of some runs, after one that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        work()
        wait_for(device)
        taken.append(time.perf_counter() - started)
    return min(taken[1:])
