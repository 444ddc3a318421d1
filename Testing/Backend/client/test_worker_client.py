"""What a client asks again of a new worker, and what it hands on from a worker."""

import time

import numpy as np
import pytest
from fake_worker import a_fake_worker

from DiffusionSegLib.client import WorkerDied, WorkerError

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def client():
    with a_fake_worker("answer_all()") as client:
        yield client


def told(client):
    """What a worker was asked for, in its order."""
    end = time.monotonic() + 5
    client.call("last", {})
    while "last" not in client.log():
        assert time.monotonic() < end
        time.sleep(0.01)
    return [line.strip() for line in client.log().splitlines()][:-1]


def restarted(client):
    found = client.restart()
    return found, told(client)


def test_a_new_worker_opens_the_last_scan_and_takes_its_last_annotation(client):
    for method, stem in [("open", "one"), ("annotate", "one"), ("open", "two"), ("annotate", "two"), ("annotate", "3")]:
        client.call(method, {"stem": stem}, {"painted": np.zeros((4, 5, 6), np.uint16)})
    client.call("train", {"stem": "two"})
    assert restarted(client)[1] == ["open two", "annotate 3"]
    assert restarted(client)[1] == ["open two", "annotate 3"]


def test_an_annotation_of_an_earlier_scan_is_not_taken(client):
    for method, stem in [("open", "one"), ("annotate", "one"), ("open", "two")]:
        client.call(method, {"stem": stem})
    assert restarted(client)[1] == ["open two"]


def test_what_a_worker_refused_is_not_asked_again(client):
    client.call("open", {"stem": "one"})
    client.call("annotate", {"stem": "one"})
    for method in ("open", "annotate"):
        with pytest.raises(WorkerError, match="Refused"):
            client.call(method, {"stem": "bad", "refuse": True})
    assert restarted(client)[1] == ["open one", "annotate one"]


def test_a_scan_that_a_worker_died_of_opening_is_opened_by_the_next():
    client = a_fake_worker("say({'method': 'heartbeat'}); told(); sys.exit(1)")
    with pytest.raises(WorkerDied):
        client.call("open", {"stem": "one"})
    call = client.restart()
    assert call.method == "open"
    with pytest.raises(WorkerDied):
        call.result()


def test_without_an_open_scan_there_is_nothing_to_repeat(client):
    assert restarted(client) == (None, [])


def test_a_cancel_does_not_stop_what_brings_a_new_worker_up_to_date():
    with a_fake_worker("time.sleep(0.5); answer_all()") as client:
        client.call("open", {"stem": "one"})
        opening, training = client.restart(), client.start("train", {})
        client.cancel()
        for call in (opening, training):
            call.result()
        assert told(client) == ["open one", "train", "cancel"]


def test_arrays_may_change_once_the_call_has_started():
    echo = (
        "told(); time.sleep(0.3); found = pipe_in.read(65536); say({'id': 1, 'result': {'last': found[-1]}}); linger()"
    )
    with a_fake_worker(echo) as client:
        painted = np.full(80_000, 7, np.uint8)
        call = client.start("annotate", {}, {"painted": painted})
        painted[:] = 9
        assert call.result()[0]["last"] == 7


def test_what_the_worker_tells_is_handed_out_once():
    curve = "{'method': 'curve', 'params': {'step': 100}}"
    with a_fake_worker(f"told(); say({curve}); say({{'id': 1, 'result': {{}}}}); linger()") as client:
        client.call("train", {})
        assert client.poll() == [{"method": "curve", "params": {"step": 100}}]
        assert client.poll() == []


def test_what_the_worker_tells_says_what_the_call_was_about():
    dark, done = "{'method': 'warning', 'params': {'message': 'Dark.'}}", "{{'id': {}, 'result': {{}}}}"
    answers = "; ".join(f"told(); say({dark}); say({done.format(number)})" for number in (1, 2))
    with a_fake_worker(f"{answers}; linger()") as client:
        client.start("lesson", {}, about="Patient 2").result()
        client.call("train", {})
        assert client.poll() == [
            {"method": "warning", "params": {"message": "Dark."}, "about": "Patient 2"},
            {"method": "warning", "params": {"message": "Dark."}},
        ]


def test_a_closed_client_takes_no_calls_and_can_be_restarted(client):
    first = client.process_id
    client.close()
    assert not client.alive
    with pytest.raises(WorkerDied, match="closed"):
        client.start("train", {})
    client.restart()
    assert client.alive
    assert client.process_id != first
    assert client.call("hello", {}) == ({}, {})


def test_closing_lets_the_worker_leave_by_itself(client):
    client.call("hello", {})
    start = time.monotonic()
    client.close(10)
    assert time.monotonic() - start < 5
    assert "shutdown" in client.log()
