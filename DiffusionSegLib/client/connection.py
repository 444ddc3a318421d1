"""One worker's life: its process, the threads that talk to it, and the calls it has not yet answered."""

from __future__ import annotations

import contextlib
import itertools
import math
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from DiffusionSegLib.client.call import Answer, Call
from DiffusionSegLib.client.errors import WorkerDied, WorkerError
from DiffusionSegLib.client.worker_process import END_SECONDS, WorkerProcess
from DiffusionSegLib.worker import protocol
from DiffusionSegLib.worker.framing import Frame, FrameReader, FrameWriter, FramingError

TICK_SECONDS = 0.1
NOTIFICATIONS = 10_000
SAME_VERSION = "Install the same version of DiffusionSeg for worker and module."
TRY_AGAIN = "Try again: features, annotation and segmenter that were computed are kept."


class Connection:
    """A worker process and what is said to it and by it.

    Three threads serve it: one reads, one writes, one watches over deadlines. None of them calls anyone back. The
    watcher counts its own ticks instead of reading a clock: an application that does not let threads run for a while
    must not look like a worker that is silent.

    Args:
        command: program and arguments of the worker.
        environment: its environment variables; None for those of this process.
        cancel_seconds: a cancelled call that goes on for longer ends the worker.
        silence_seconds: a worker that says nothing, not even a heartbeat, for longer is ended.

    Raises:
        WorkerDied: if the worker cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None,
        *,
        cancel_seconds: float,
        silence_seconds: float,
    ) -> None:
        self._process = WorkerProcess(command, environment)
        self._reader = FrameReader(self._process.incoming)
        self._writer = FrameWriter(self._process.outgoing)
        self._cancel_ticks = round(cancel_seconds / TICK_SECONDS)
        self._silence_ticks = round(silence_seconds / TICK_SECONDS)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        # In the order they were sent, which is that of the worker: the first is the one that runs.
        self._pending: dict[int, Call] = {}
        # Ticks since the worker was told to stop; -inf before: what was being sent still goes through, 100 MB or more.
        self._cancelled: dict[int, float] = {}
        self._unsent: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._notifications: deque[dict[str, Any]] = deque(maxlen=NOTIFICATIONS)
        self._death: WorkerDied | None = None
        self._ended = threading.Event()
        for target in (self._read, self._write, self._watch):
            threading.Thread(target=target, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._death is None and self._process.running

    @property
    def process(self) -> WorkerProcess:
        return self._process

    def start(self, call: Call, params: dict[str, Any], arrays: Mapping[str, Any]) -> None:
        """Send a call.

        Raises:
            WorkerDied: if the worker is gone.
        """
        with self._lock:
            if self._death is not None:
                raise WorkerDied(self._death.message, self._death.hint)
            number = next(self._numbers)
            self._pending[number] = call
            self._unsent.put(Frame(protocol.request(number, call.method, params), dict(arrays)))

    def cancel(self, calls: set[Call] | None = None) -> None:
        """Stop these calls, or all; a worker that does not obey in time is ended."""
        with self._lock:
            for number, call in self._pending.items():
                if (calls is None or call in calls) and number not in self._cancelled:
                    self._cancelled[number] = -math.inf
                    self._unsent.put(Frame(protocol.notification("cancel", {"id": number})))

    def poll(self) -> list[dict[str, Any]]:
        """What the worker told since the last time, as `{"method": ..., "params": ...}`, and "about" where known."""
        found = []
        while self._notifications:
            found.append(self._notifications.popleft())
        return found

    def close(self, seconds: float) -> None:
        """Let the worker end by itself for so long, then end it with all that it started."""
        self.cancel()
        try:
            self.start(Call("shutdown"), {}, {})
            self._process.wait(seconds)
        except WorkerDied:
            pass
        self._die(WorkerDied("The worker was closed.", "Start it again."))
        self._process.wait(END_SECONDS)

    def _read(self) -> None:
        try:
            while (frame := self._reader.read()) is not None:
                self._take(frame)
        except FramingError as error:
            self._die(WorkerDied(f"The worker cannot be understood. {error.message}", error.hint))
        except (OSError, ValueError):
            # The pipe was closed under us: so it was `_die` that did it.
            pass
        except Exception as error:
            # Whatever it is, nobody may wait for ever.
            self._die(WorkerDied(f"The worker cannot be understood: {error!r}.", SAME_VERSION))
        self._die(self._unexpected_end())

    def _take(self, frame: Frame) -> None:
        message = frame.message
        if "method" in message:
            self._notified(str(message["method"]), message.get("params") or {})
            return
        number: Any = message.get("id")
        # Understood completely before the call counts as answered: nobody else would tell it of what goes wrong here.
        outcome = _outcome(frame)
        if number is None and isinstance(outcome, WorkerError):
            problem = f"The worker did not understand what it was sent. {outcome.message}"
            self._die(WorkerDied(problem, outcome.hint or SAME_VERSION))
            return
        with self._lock:
            call = self._pending.pop(number, None)
            self._cancelled.pop(number, None)
        if call is not None:
            call.take(outcome)

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        if method == "heartbeat":
            return
        with self._lock:
            running = next(iter(self._pending.values()), None)
        about = {"about": running.about} if running is not None and running.about else {}
        self._notifications.append({"method": method, "params": params, **about})
        if method == "progress" and running is not None:
            running.take_progress(params["stage"], params["done"], params["total"])

    def _write(self) -> None:
        if sys.platform != "win32":
            # Writing to a worker that died must not end an application whose Python does not ignore the signal.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        while (frame := self._unsent.get()) is not None:
            try:
                self._writer.write(frame)
                self._count_from(frame)
            except (OSError, ValueError):
                # The worker is gone; the reader tells.
                return

    def _count_from(self, sent: Frame) -> None:
        """Begin to count how long the worker takes to stop, if that is what it was told."""
        if sent.message.get("method") == "cancel":
            number = sent.message["params"]["id"]
            with self._lock:
                if number in self._cancelled:
                    self._cancelled[number] = 0

    def _watch(self) -> None:
        received, silent, gone = -1, 0, 0
        while not self._ended.wait(TICK_SECONDS):
            silent = silent + 1 if received == self._reader.bytes_received else 0
            received = self._reader.bytes_received
            gone = gone + 1 if not self._process.running else 0
            with self._lock:
                self._cancelled = {number: ticks + 1 for number, ticks in self._cancelled.items()}
                longest = max(self._cancelled.values(), default=0)
            if longest > self._cancel_ticks:
                self._die(WorkerDied("The worker did not stop in time and was ended.", TRY_AGAIN))
            elif silent > self._silence_ticks:
                message = f"The worker has said nothing for {self._silence_ticks * TICK_SECONDS:.0f} seconds."
                self._die(WorkerDied(message, TRY_AGAIN))
            elif gone > 1 / TICK_SECONDS:
                # It ended, but something that it started keeps the pipe open.
                self._die(self._unexpected_end())

    def _unexpected_end(self) -> WorkerDied:
        if self._process.running and not self._process.wait(1.0):
            return WorkerDied("The worker has closed its end of the pipe.", self._last_words() or TRY_AGAIN)
        ending = self._process.ending()
        if self._reader.bytes_received == 0:
            message = f"The worker ended as soon as it was started ({ending})."
            return WorkerDied(message, self._last_words() or "Check the command in the advanced settings.")
        if self._process.killed:
            return WorkerDied("The worker was ended by force, perhaps because the memory ran out.", TRY_AGAIN)
        return WorkerDied(f"The worker ended unexpectedly ({ending}).", self._last_words() or TRY_AGAIN)

    def _last_words(self) -> str:
        """The last line that the worker printed."""
        time.sleep(TICK_SECONDS)
        lines = [line for line in self._process.log().splitlines() if line.strip()]
        return f"It said: {lines[-1].strip()}" if lines else ""

    def _die(self, death: WorkerDied) -> None:
        """End the worker and everyone's waiting for it; only the first reason counts."""
        with self._lock:
            first = self._death is None
            self._death = death = self._death or death
            calls = list(self._pending.values())
            self._pending.clear()
            self._cancelled.clear()
        self._ended.set()
        if first:
            self._unsent.put(None)
            self._process.kill()
            for stream in (self._process.outgoing, self._process.incoming):
                with contextlib.suppress(OSError):
                    stream.close()
        for call in calls:
            call.take(death)


def _outcome(frame: Frame) -> Answer | WorkerError:
    error = frame.message.get("error")
    if error is not None:
        return WorkerError(str(error.get("message")), str((error.get("data") or {}).get("hint", "")))
    result = frame.message.get("result")
    if not isinstance(result, dict):
        raise FramingError("What came over the pipe is no answer.", SAME_VERSION)
    return result, frame.arrays
