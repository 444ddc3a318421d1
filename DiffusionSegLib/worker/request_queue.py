"""Calls that wait their turn, and those that nobody wants any more."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np


class Stopped(Exception):  # noqa: N818 - it is no error: someone asked for it
    """Raised within a call that was cancelled."""


@dataclass(frozen=True, eq=False)
class Request:
    """A call.

    Args:
        identifier: what the answer refers to.
        method: what to do.
        params: with what.
        arrays: and which arrays.
        protocol: the protocol's version that the caller speaks.
    """

    identifier: int
    method: str
    params: dict[str, Any]
    arrays: dict[str, np.ndarray]
    protocol: int


class RequestQueue:
    """Requests in their order, filled by one thread and worked off by another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._running: Request | None = None
        self._stopped = False
        self._closed = False

    def put(self, request: Request) -> None:
        """Add a request."""
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()

    def next(self) -> Request | None:
        """Wait for the next request, which then is the running one; None once no more can come."""
        with self._changed:
            self._running, self._stopped = None, False
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def cancel(self, identifier: int | None) -> Request | None:
        """Stop a request, or the running one if none is named; returned if it had not yet begun."""
        with self._changed:
            if self._running is not None and identifier in {None, self._running.identifier}:
                self._stopped = True
                return None
            for request in self._waiting:
                if request.identifier == identifier:
                    self._waiting.remove(request)
                    return request
        return None

    def close(self) -> None:
        """Let nothing wait any longer, and stop what runs."""
        with self._changed:
            self._closed = self._stopped = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise Stopped if the running request was cancelled."""
        if self._stopped:
            raise Stopped
