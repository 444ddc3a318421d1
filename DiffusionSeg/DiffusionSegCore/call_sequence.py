"""Several calls to the worker, one after another, seen from outside as one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError

Result = tuple[dict[str, Any], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Step:
    """One call that is to be made.

    Args:
        method: the worker's method.
        params: its parameters.
        arrays: makes its arrays, just before they are sent.
        succeeded: told the result and its arrays; what it raises fails the step.
        about: what errors and warnings are about, if that is not what the user sees before them.
    """

    method: str
    params: dict[str, Any]
    arrays: Callable[[], dict[str, np.ndarray]] = dict
    succeeded: Callable[[dict[str, Any], dict[str, np.ndarray]], None] | None = None
    about: str = ""


class CallSequence:
    """A call that is made of several; the next one starts when `done` or `result` finds the last one finished.

    Args:
        client: the worker's client.
        steps: at least one; the last one's result is the result of the whole.
        on_progress: told stage, done and total, on the caller's thread and only from within `result`.
        failed: told the error that ended the sequence.
    """

    def __init__(
        self,
        client: Any,
        steps: Sequence[Step],
        *,
        on_progress: Callable[[str, int, int], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._client, self._steps, self._on_progress, self._failed = client, list(steps), on_progress, failed
        self._results: list[Result] = []
        self._error: Exception | None = None
        self._at, self._call, self._stopped = -1, None, False
        self._start_next()

    @property
    def done(self) -> bool:
        """Whether `result` would return, or raise, at once; asking also moves on to the next step."""
        while not self._finished and self._call.done:
            self._harvest(0)
        return self._finished

    @property
    def method(self) -> str:
        """The worker's method that runs now, or ran last."""
        return self._steps[max(self._at, 0)].method

    def result(self, timeout: float | None = None) -> Result:
        """What the last step returns, waited for.

        Raises:
            DiffusionSegError: if a step fails; the steps after it are not made.
            TimeoutError: if `timeout` seconds have passed; the call goes on.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while not self._finished:
            self._harvest(None if until is None else max(until - time.monotonic(), 0))
        if self._error is not None:
            raise self._error
        return self._results[-1]

    def stop(self) -> None:
        """Cancel the step that runs; none is started after it."""
        self._stopped = True
        self._client.cancel()

    def result_of(self, method: str) -> dict[str, Any]:
        """What the last step of that method has returned, arrays left out."""
        found = [said for step, (said, _) in zip(self._steps, self._results, strict=False) if step.method == method]
        return found[-1]

    @property
    def _finished(self) -> bool:
        return len(self._results) == len(self._steps) or self._error is not None

    def _harvest(self, timeout: float | None) -> None:
        step = self._steps[self._at]
        try:
            result = self._call.result(timeout)
            if step.succeeded is not None:
                step.succeeded(*result)
            self._results.append(result)
        except TimeoutError:
            raise
        except DiffusionSegError as error:
            self._end(error)
            return
        except Exception as error:
            # Whoever asks again must not take this answer for that of another step.
            self._end(error)
            raise
        if not self._finished:
            self._start_next()

    def _start_next(self) -> None:
        if self._stopped:
            self._end(DiffusionSegError("Stopped."))
            return
        self._at += 1
        step = self._steps[self._at]
        try:
            self._call = self._client.start(
                step.method, step.params, step.arrays(), on_progress=self._on_progress, about=step.about
            )
        except DiffusionSegError as error:
            self._end(error)
        except Exception as error:
            self._end(error)
            raise

    def _end(self, error: Exception) -> None:
        about = self._steps[max(self._at, 0)].about
        # Of one that was stopped, or whose worker died, it does not matter what it was about.
        if about and isinstance(error, DiffusionSegError) and self._client.alive and not self._stopped:
            error = DiffusionSegError(f"{about}: {error.message}", error.hint)
        self._error = error
        if self._failed is not None:
            self._failed(error)
