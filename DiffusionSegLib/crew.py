"""Threads that share out work whose single steps are too small to share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")


def unheard(done: int) -> None:
    """Tell nobody how many items are done."""


class Crew:
    """Threads among which torch's cores are shared out, one each unless there are fewer threads; on a GPU the caller's.

    Small tensor operations gain little from several cores: on two, a training step of ten members took 9.8 ms when
    torch spread each of its operations over both, and 7.4 ms when each core had five members to itself.

    Args:
        device: what computes.
        most: how many threads there are at most. Python itself runs in one at a time.
    """

    def __init__(self, device: torch.device, most: int | None = None) -> None:
        self.cores = torch.get_num_threads()
        self.size = min(self.cores, most or self.cores) if device.type == "cpu" else 1

    def __enter__(self) -> Crew:
        cores_each = self.cores // self.size
        self._threads = ThreadPoolExecutor(self.size, initializer=torch.set_num_threads, initargs=(cores_each,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        # Threads that others start take over what was set last.
        torch.set_num_threads(self.cores)

    def each(
        self, work: Callable[[Item], object], items: Iterable[Item], on_done: Callable[[int], object] = unheard
    ) -> None:
        """Do the work for every item, in any order.

        Args:
            work: called in the crew's threads.
            items: what it is called with.
            on_done: told, in the caller's thread, how many items are done.

        Raises:
            Exception: what `work` or `on_done` raises first; what has not begun by then is left out.
        """
        if self.size == 1:
            for number, item in enumerate(items):
                work(item)
                on_done(number + 1)
            return
        futures = [self._threads.submit(work, item) for item in items]
        try:
            for number, future in enumerate(as_completed(futures)):
                future.result()
                on_done(number + 1)
        finally:
            for future in futures:
                future.cancel()
