"""A real worker that stays at a method or stage for as long as a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from odd_worker import REACHED
from painted_head import an_odd_worker

PATIENCE_SECONDS = 60


class Hold:
    """Says where a worker stays; `command` starts that worker.

    Args:
        folder: by which they talk; it is made if there is none.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.command = an_odd_worker("held", folder)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Let the worker go no further than a method or stage, until the context ends."""
        (self._folder / REACHED).unlink(missing_ok=True)
        order = self._folder / place
        order.touch()
        try:
            yield
        finally:
            order.unlink()

    def wait(self, go_on: Callable[[], object]) -> None:
        """Wait until the worker is held; `go_on` is called meanwhile, to send it what comes next."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (self._folder / REACHED).exists():
            assert time.monotonic() < end, "the worker never came to where it is to be held"
            go_on()
            time.sleep(0.005)
