"""A call that was sent to the worker."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import numpy as np

from DiffusionSegLib.client.errors import WorkerDied, WorkerError
from DiffusionSegLib.progress import Progress

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


class Call:
    """A call on its way; `done` and `result` tell of its answer.

    Args:
        method: what was asked for.
        on_progress: told how far it is, on the thread that waits in `result`.
        about: what the user calls that which it is about; the worker is not told.
    """

    def __init__(self, method: str, on_progress: Progress | None = None, about: str = "") -> None:
        self.method, self.about = method, about
        self._on_progress = on_progress
        self._changed = threading.Condition()
        self._progress: deque[tuple[str, int, int]] = deque()
        self._answer: Answer | None = None
        self._error: WorkerError | None = None

    @property
    def done(self) -> bool:
        """Whether there is an answer or an error."""
        return self._answer is not None or self._error is not None

    @property
    def refused(self) -> bool:
        """Whether a worker that goes on living could not do it."""
        return self._error is not None and not isinstance(self._error, WorkerDied)

    def result(self, timeout: float | None = None) -> Answer:
        """Wait for the answer: a JSON object, and arrays by name.

        Raises:
            WorkerError: if the worker could not do it, or was told to stop.
            WorkerDied: if the worker is gone.
            TimeoutError: if there is no answer after `timeout` seconds; the call goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._changed:
                while not (self.done or self._progress):
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        raise TimeoutError(f"no answer to {self.method} yet")
                    self._changed.wait(left)
                reports = list(self._progress)
                self._progress.clear()
                done = self.done
            for report in reports:
                # Without the lock, so that whoever is told may cancel the call.
                if self._on_progress is not None:
                    self._on_progress(*report)
            if done:
                break
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def take_progress(self, stage: str, done: int, total: int) -> None:
        """Note how far the worker is."""
        if self._on_progress is not None:
            with self._changed:
                self._progress.append((stage, done, total))
                self._changed.notify_all()

    def take(self, outcome: Answer | WorkerError) -> None:
        """Note the answer or what went wrong; only the first counts."""
        with self._changed:
            if not self.done:
                if isinstance(outcome, WorkerError):
                    self._error = outcome
                else:
                    self._answer = outcome
            self._changed.notify_all()
