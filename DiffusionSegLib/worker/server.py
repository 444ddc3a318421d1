"""The worker's end of the pipe: reads calls, answers them one after the other, stops them when told to."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from typing import IO, TYPE_CHECKING, Any

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.memory_shortage import is_memory_shortage, memory_problem
from DiffusionSegLib.told_warnings import warnings_told
from DiffusionSegLib.worker import protocol
from DiffusionSegLib.worker.framing import Frame, FrameReader, FrameWriter, FramingError
from DiffusionSegLib.worker.request_queue import Request, RequestQueue, Stopped

if TYPE_CHECKING:
    from DiffusionSegLib.worker.methods import Methods

PROGRESS_SECONDS = 0.1
# What still runs when the client is gone is ended after this.
LEAVE_SECONDS = 10.0
LEFT_BY_FORCE = 3
NO_TORCH = "Install PyTorch again (in Slicer: PyTorch extension, Uninstall, restart, Install)."


class Server:
    """Answers a client until it says `shutdown` or is gone.

    A thread reads, so that a cancel is seen while a call runs; another one sends heartbeats. All work is done on the
    thread that calls `run`.

    Args:
        incoming: unbuffered binary stream from the client.
        outgoing: unbuffered binary stream to it.
    """

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._reader, self._writer = FrameReader(incoming), FrameWriter(outgoing)
        self._queue = RequestQueue()
        self._last_progress = ("", 0.0)
        self._exit_status = 0
        self._left = threading.Event()

    def run(self) -> int:
        """Serve; the exit status is 0 if the client left in order, 2 if it sent what is no message."""
        for target in (self._read, self._beat):
            threading.Thread(target=target, daemon=True).start()
        with warnings_told(self.warn):
            self._answer_all()
        self._left.set()
        return self._exit_status

    def _answer_all(self) -> None:
        methods: Methods | None = None
        while (request := self._queue.next()) is not None:
            if request.method == "shutdown":
                self._send(protocol.result(request.identifier, {}))
                break
            try:
                methods = methods or self._methods()
                frame = self._called(methods, request)
            except Stopped:
                problem = DiffusionSegError(protocol.STOPPED_MESSAGE)
                frame = Frame(protocol.failure(request.identifier, protocol.STOPPED, problem))
            except DiffusionSegError as error:
                frame = Frame(protocol.failure(request.identifier, protocol.PROBLEM, error))
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                problem = _told(request.method, error)
                frame = Frame(protocol.failure(request.identifier, protocol.INTERNAL_ERROR, problem))
            self._write(frame)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell the client how far the running call is, now and then; raises Stopped if it was cancelled."""
        self._queue.check()
        now = time.monotonic()
        last_stage, last_time = self._last_progress
        if stage != last_stage or done >= total or now - last_time >= PROGRESS_SECONDS:
            self._last_progress = (stage, now)
            self._send(protocol.notification("progress", {"stage": stage, "done": done, "total": total}))

    def curve(self, step: int, loss: float, held_out: float | None) -> None:
        """Tell the client how the training goes."""
        params = {"step": step, "loss": round(loss, 5), "held_out": None if held_out is None else round(held_out, 5)}
        self._send(protocol.notification("curve", params))

    def warn(self, message: str, hint: str = "") -> None:
        """Tell the client of something that does not stop the running call."""
        self._send(protocol.notification("warning", {"message": message, "hint": hint}))

    def check_stopped(self) -> None:
        """Raise Stopped if the running call was cancelled."""
        self._queue.check()

    def _methods(self) -> Methods:
        # torch takes seconds to load: by then calls are read, and cancelled, already.
        try:
            from DiffusionSegLib.worker.methods import Methods
            from DiffusionSegLib.worker.warm_up import load_for_training
        except (ImportError, OSError, AttributeError) as error:
            traceback.print_exc(file=sys.stderr)
            raise DiffusionSegError(f"What computes cannot be loaded: {error}.", NO_TORCH) from error
        threading.Thread(target=load_for_training, daemon=True).start()
        return Methods(self)

    def _called(self, methods: Methods, request: Request) -> Frame:
        if request.protocol != protocol.PROTOCOL:
            message = f"The worker speaks protocol {protocol.PROTOCOL}, the module {request.protocol}."
            raise DiffusionSegError(message, "Install the same version of DiffusionSeg for both.")
        call = methods.table.get(request.method)
        if call is None:
            problem = DiffusionSegError(f"The worker knows no method {request.method}.", "Install the same version.")
            return Frame(protocol.failure(request.identifier, protocol.METHOD_NOT_FOUND, problem))
        self._queue.check()
        self._last_progress = ("", 0.0)
        value, arrays = call(request.params, request.arrays)
        return Frame(protocol.result(request.identifier, value), arrays)

    def _read(self) -> None:
        try:
            while (frame := self._reader.read()) is not None:
                self._take(frame)
        except FramingError as error:
            self._exit_status = 2
            self._send(protocol.failure(None, protocol.PARSE_ERROR, error))
        except OSError:
            # The client is gone: nobody is left to tell.
            pass
        except Exception as error:
            # A call that does not even fit into memory, say. Where the next one begins is not known.
            traceback.print_exc(file=sys.stderr)
            self._exit_status = 2
            self._send(protocol.failure(None, protocol.PARSE_ERROR, _told("reading", error)))
        self._queue.close()
        if not self._left.wait(LEAVE_SECONDS):
            # Nobody can cancel what runs any more, and it does not look up by itself.
            os._exit(LEFT_BY_FORCE)

    def _take(self, frame: Frame) -> None:
        message = frame.message
        method, params = message.get("method"), message.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            raise FramingError("What came over the pipe is no call.", "Install the same version of DiffusionSeg.")
        if method == "cancel":
            waiting = self._queue.cancel(params.get("id"))
            if waiting is not None:
                problem = DiffusionSegError(protocol.STOPPED_MESSAGE)
                self._send(protocol.failure(waiting.identifier, protocol.STOPPED, problem))
        elif isinstance(message.get("id"), int):
            spoken = message.get("protocol", protocol.PROTOCOL)
            self._queue.put(Request(message["id"], method, params, frame.arrays, spoken))

    def _beat(self) -> None:
        while True:
            self._send(protocol.notification("heartbeat", {}))
            time.sleep(protocol.HEARTBEAT_SECONDS)

    def _send(self, message: dict[str, Any]) -> None:
        self._write(Frame(message))

    def _write(self, frame: Frame) -> None:
        try:
            self._writer.write(frame)
        except OSError:
            # The client is gone: what runs is of no use any more.
            self._queue.close()


def _told(method: str, error: Exception) -> DiffusionSegError:
    """What to say of an error that nobody foresaw."""
    if is_memory_shortage(error):
        return memory_problem()
    text = str(error)
    first = text.splitlines()[0] if text else type(error).__name__
    message = f"Something unforeseen went wrong in {method}: {first}"
    return DiffusionSegError(message, "Try again; if it happens again, report it together with the worker's log.")
