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
    """Threads of one of torch's cores each; on a GPU the caller's alone.

    It pays for operations that are long enough for Python, which calls them in one thread at a time.

    Args:
        device: what computes.
    """

    def __init__(self, device: torch.device) -> None:
        self.cores = torch.get_num_threads()
        self.size = self.cores if device.type == "cpu" else 1

    def __enter__(self) -> Crew:
        self._threads = ThreadPoolExecutor(self.size, initializer=torch.set_num_threads, initargs=(1,))
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
