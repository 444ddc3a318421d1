"""The worker's end of the pipe, in this process, with methods of our own."""

import os
import threading
import time
import warnings

import numpy as np
import pytest

from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.worker import protocol, server
from DiffusionSegLib.worker.framing import Frame, FrameReader, FrameWriter
from DiffusionSegLib.worker.server import Server

pytestmark = pytest.mark.timeout(30)


class OddMethods:
    """Methods that do what a test needs."""

    def __init__(self, reporter):
        self.reporter = reporter
        self.hanging, self.going_on = threading.Event(), threading.Event()
        self.table = {
            "echo": lambda params, arrays: (params, arrays),
            "refuse": self.refuse,
            "break": lambda params, _: (params["nothing"], {}),
            "need": self.need,
            "dawdle": self.dawdle,
            "hang": self.hang,
            "report": self.report,
            "warn": self.warn,
        }

    def refuse(self, *_):
        raise DiffusionSegError("Nothing is annotated yet.", "Paint some slices first.")

    def need(self, *_):
        raise MemoryError

    def dawdle(self, *_):
        while True:
            self.reporter.progress("training", 0, 10)
            time.sleep(0.01)

    def hang(self, *_):
        self.hanging.set()
        return self.going_on.wait(20), {}

    def report(self, *_):
        for number in range(1000):
            self.reporter.progress("training", number, 999)
        self.reporter.curve(100, 0.123456789, None)
        return {}, {}

    def warn(self, *_):
        warnings.warn("The memory is short.", DiffusionSegWarning, stacklevel=1)
        warnings.warn("of no concern", DeprecationWarning, stacklevel=1)
        return {}, {}


class Client:
    """Talks to a server that runs on another thread."""

    def __init__(self):
        to_server, self.outgoing = os.pipe()
        self.incoming, from_server = os.pipe()
        self.server = Server(os.fdopen(to_server, "rb", 0), os.fdopen(from_server, "wb", 0))
        self.methods = OddMethods(self.server)
        self.server._methods = lambda: self.methods
        self.raw = os.fdopen(self.outgoing, "wb", 0)
        self.writer, self.reader = FrameWriter(self.raw), FrameReader(os.fdopen(self.incoming, "rb", 0))
        self.exit_status = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        self.exit_status = self.server.run()

    def send(self, number, method, params=None, arrays=None, **more):
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}, **more}
        self.writer.write(Frame(message, arrays or {}))

    def cancel(self, **params):
        self.writer.write(Frame(protocol.notification("cancel", params)))

    def heard(self, *, answer=True):
        """The next message that is an answer, or the next notification that is no heartbeat."""
        while (frame := self.reader.read()) is not None:
            if ("method" in frame.message) != answer and frame.message.get("method") != "heartbeat":
                return frame
        return None

    def ended(self):
        self.thread.join(5)
        assert not self.thread.is_alive()
        return self.exit_status


@pytest.fixture
def client():
    client = Client()
    yield client
    client.methods.going_on.set()
    client.raw.close()
    client.thread.join(5)


def test_calls_are_answered_in_their_order_with_their_arrays(client):
    array = np.arange(6, dtype=np.uint16).reshape(2, 3)
    for number in (1, 2):
        client.send(number, "echo", {"number": number}, {"array": array * number})
    for number in (1, 2):
        frame = client.heard()
        assert frame.message == {"jsonrpc": "2.0", "id": number, "result": {"number": number}}
        np.testing.assert_array_equal(frame.arrays["array"], array * number)


PROBLEMS = {
    "refuse": (protocol.PROBLEM, "Nothing is annotated yet.", "Paint some slices first."),
    "break": (protocol.INTERNAL_ERROR, "Something unforeseen went wrong in break: 'nothing'", "report it"),
    "need": (protocol.INTERNAL_ERROR, "The memory does not suffice", "crop the scan"),
    "dance": (protocol.METHOD_NOT_FOUND, "The worker knows no method dance.", "same version"),
}


@pytest.mark.parametrize("method", PROBLEMS)
def test_a_problem_is_told_and_the_next_call_answered(client, method):
    code, message, hint = PROBLEMS[method]
    client.send(1, method)
    client.send(2, "echo")
    error = client.heard().message["error"]
    assert error["code"] == code
    assert error["message"].startswith(message)
    assert hint in error["data"]["hint"]
    assert client.heard().message["result"] == {}


def test_a_client_of_another_version_is_told_so(client):
    client.send(1, "echo", protocol=protocol.PROTOCOL + 1)
    assert "speaks protocol" in client.heard().message["error"]["message"]


def test_a_running_call_is_stopped_and_the_next_one_answered(client):
    client.send(1, "dawdle")
    client.heard(answer=False)
    start = time.monotonic()
    client.cancel(id=1)
    assert client.heard().message["error"] == {"code": protocol.STOPPED, "message": "Stopped.", "data": {"hint": ""}}
    assert time.monotonic() - start < 1
    client.send(2, "echo")
    assert client.heard().message["id"] == 2


def test_a_call_that_waits_is_stopped_without_the_one_that_runs(client):
    client.send(1, "hang")
    client.send(2, "echo")
    client.cancel(id=2)
    stopped = client.heard().message
    assert (stopped["id"], stopped["error"]["message"]) == (2, "Stopped.")
    client.methods.going_on.set()
    assert client.heard().message == {"jsonrpc": "2.0", "id": 1, "result": True}


def test_the_heart_beats_while_a_call_runs(client, monkeypatch):
    monkeypatch.setattr(protocol, "HEARTBEAT_SECONDS", 0.05)
    client.send(1, "hang")
    found = [client.reader.read().message["method"] for _ in range(2)]
    assert found == ["heartbeat", "heartbeat"]


def test_progress_is_told_now_and_then_and_at_the_end(client):
    client.send(1, "report")
    found = []
    while (told := client.heard(answer=False).message)["method"] == "progress":
        found.append(told["params"]["done"])
    assert found[0] == 0
    assert found[-1] == 999
    assert len(found) < 100
    assert told == {
        "jsonrpc": "2.0",
        "method": "curve",
        "params": {"step": 100, "loss": 0.12346, "held_out": None},
    }


def test_warnings_for_the_user_reach_the_client_and_no_others(client):
    client.send(1, "warn")
    told = [client.reader.read().message]
    while told[-1].get("id") != 1:
        told.append(client.reader.read().message)
    warned = [message["params"] for message in told if message.get("method") == "warning"]
    assert warned == [{"message": "The memory is short.", "hint": ""}]


@pytest.mark.parametrize("said", [b"hello\n", b"Content-Length: 10737418240\r\n\r\n", b"Content-Length: 2\r\n\r\n{}"])
def test_what_is_no_call_is_told_and_ends_the_worker(client, said):
    client.raw.write(said)
    message = client.heard().message
    assert message["id"] is None
    assert message["error"]["code"] == protocol.PARSE_ERROR
    assert client.ended() == 2


def test_a_shutdown_ends_the_worker_in_order(client):
    client.send(1, "shutdown")
    assert client.heard().message == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert client.ended() == 0


def test_a_client_that_is_gone_stops_what_runs(client):
    client.send(1, "dawdle")
    client.heard(answer=False)
    client.raw.close()
    assert client.ended() == 0


def test_a_client_that_is_gone_ends_even_what_hangs(client, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(server, "LEAVE_SECONDS", 0.1)
    monkeypatch.setattr(os, "_exit", lambda _: ended.set())
    client.send(1, "hang")
    assert client.methods.hanging.wait(5)
    client.raw.close()
    assert ended.wait(5)


def test_what_ends_in_order_is_not_ended_by_force(client, monkeypatch):
    forced = threading.Event()
    monkeypatch.setattr(server, "LEAVE_SECONDS", 0.2)
    monkeypatch.setattr(os, "_exit", lambda _: forced.set())
    client.raw.close()
    assert client.ended() == 0
    assert not forced.wait(0.6)
