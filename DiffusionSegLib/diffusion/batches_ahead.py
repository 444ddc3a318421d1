"""Batches of a training, made while those before them are learnt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

Batch = tuple[Tensor, ...]
# A GPU learns a batch in the time that a thread makes a fraction of one; on a CPU, learning takes all cores itself.
AHEAD = {"cpu": 0, "cuda": 8}


def batches_ahead(
    make: Callable[[int], Batch], steps: Iterable[int], device: torch.device
) -> Generator[Batch, None, None]:
    """The batches of steps, in order, on the device that learns them.

    Args:
        make: makes the batch of a step, which depends on nothing but its number; called by several threads at a time.
        steps: their numbers.
        device: what learns.
    """
    if not AHEAD[device.type]:
        for step in steps:
            yield _on_device(make(step), device)
        return
    cores = torch.get_num_threads()
    threads = ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,))
    coming: deque[Future[Batch]] = deque()
    try:
        for step in steps:
            coming.append(threads.submit(lambda step: _pinned(make(step), device), step))
            if len(coming) > AHEAD[device.type]:
                yield _on_device(coming.popleft().result(), device)
        while coming:
            yield _on_device(coming.popleft().result(), device)
    finally:
        threads.shutdown(cancel_futures=True)
        # Threads that others start take over what was set last.
        torch.set_num_threads(cores)


def _pinned(batch: Batch, device: torch.device) -> Batch:
    """The batch where a GPU can fetch it from by itself."""
    return tuple(part.pin_memory() for part in batch) if device.type == "cuda" else batch


def _on_device(batch: Batch, device: torch.device) -> Batch:
    # Torch reuses pinned memory only after what was told to read it has done so.
    return tuple(part.to(device, non_blocking=True) for part in batch)
