"""The worker as its users see it: calls in, answers out, and another worker when one has died."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from DiffusionSegLib.client.call import Answer, Call
from DiffusionSegLib.client.connection import Connection
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.framing import copied

# Calls that another worker must repeat to be where the last one was; the session folder has the rest.
REPEATED = ("open", "annotate")
YIELD_SECONDS = 0.005


class WorkerClient:
    """Starts a worker and talks to it. To be used from one thread; no other thread ever calls its users back.

    Args:
        command: program and arguments of the worker, such as `[sys.executable, "-m", "DiffusionSegLib", "worker"]` or
            `["ssh", "host", "diffusionseg", "worker"]`.
        environment: its environment variables; None for those of this process.
        cancel_seconds: a cancelled call that goes on for longer ends the worker.
        silence_seconds: a worker that says nothing, not even a heartbeat, for longer is ended.

    Raises:
        WorkerDied: if the worker cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        cancel_seconds: float = 1.0,
        silence_seconds: float = 60.0,
    ) -> None:
        self._command, self._environment = list(command), environment
        self._cancel_seconds, self._silence_seconds = cancel_seconds, silence_seconds
        self._history: list[_Sent] = []
        self._users: set[Call] = set()
        self._connection = self._connected()

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether there is a worker to talk to."""
        return self._connection.alive

    @property
    def process_id(self) -> int:
        """The worker's process, or that of ssh."""
        return self._connection.process.identifier

    def start(
        self,
        method: str,
        params: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        on_progress: Progress | None = None,
        about: str = "",
    ) -> Call:
        """Send a call and return at once; arrays are copied, so they may change afterwards.

        What the worker tells meanwhile is handed out with what the call is `about`, of which it knows nothing itself.

        Raises:
            WorkerDied: if the worker is gone.
        """
        return self._start(Call(method, on_progress, about), dict(params), copied(arrays or {}))

    def call(
        self,
        method: str,
        params: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        on_progress: Progress | None = None,
    ) -> Answer:
        """Send a call and wait for its answer: a JSON object, and arrays by name.

        Raises:
            WorkerError: if the worker could not do it, or was told to stop.
            WorkerDied: if the worker is gone.
        """
        return self.start(method, params, arrays, on_progress).result()

    def poll(self) -> list[dict[str, Any]]:
        """What the worker told since the last time: `{"method": "progress" | "curve" | "warning", "params": {...}}`.

        Beside them stands `"about"` where the call is known to be about something.
        """
        # Some applications never let other threads run but while they wait.
        time.sleep(YIELD_SECONDS)
        return self._connection.poll()

    def cancel(self) -> None:
        """Stop all calls: each ends with the error "Stopped.", or else the worker is ended."""
        # But not what brings a new worker to where the last one was.
        self._users = {call for call in self._users if not call.done}
        self._connection.cancel(self._users)

    def restart(self) -> Call | None:
        """Start another worker, which opens the scan and takes the annotation again.

        Returns at once; calls that are started meanwhile wait their turn.

        Returns:
            The running call that opens the scan, or None if none was open.

        Raises:
            WorkerDied: if it cannot be started.
        """
        self._connection.close(0)
        self._connection = self._connected()
        repeated, self._history = _needed(self._history), []
        calls = [self._start(Call(sent.call.method), sent.params, sent.arrays) for sent in repeated]
        self._users.clear()
        return calls[0] if calls else None

    def log(self) -> str:
        """The last lines that the worker and its libraries printed."""
        return self._connection.process.log()

    def close(self, seconds: float = 2.0) -> None:
        """End the worker, by force if it does not end by itself within so many seconds."""
        self._connection.close(seconds)

    def _start(self, call: Call, params: dict[str, Any], arrays: dict[str, np.ndarray]) -> Call:
        self._connection.start(call, params, arrays)
        self._users = {other for other in self._users if not other.done} | {call}
        if call.method in REPEATED:
            settled = all(sent.call.done for sent in self._history)
            self._history = [*(_needed(self._history) if settled else self._history), _Sent(call, params, arrays)]
        return call

    def _connected(self) -> Connection:
        return Connection(
            self._command,
            self._environment,
            cancel_seconds=self._cancel_seconds,
            silence_seconds=self._silence_seconds,
        )


@dataclass(frozen=True, eq=False)
class _Sent:
    call: Call
    params: dict[str, Any]
    arrays: dict[str, np.ndarray]


def _needed(history: list[_Sent]) -> list[_Sent]:
    """The last scan that was not refused, and what was last annotated on it."""
    accepted = [sent for sent in history if not sent.call.refused]
    opened = [number for number, sent in enumerate(accepted) if sent.call.method == "open"]
    if not opened:
        return []
    return [accepted[opened[-1]], *accepted[opened[-1] + 1 :][-1:]]
