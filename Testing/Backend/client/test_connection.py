"""A worker that breaks down, in every way we can think of: a clear error in time, and never a hang."""

import time

import numpy as np
import pytest
from fake_worker import a_fake_worker

from DiffusionSegLib.client import WorkerDied, WorkerError

SOON = 5.0
ANSWER = """say({"jsonrpc": "2.0", "id": 1, "result": {}})"""

FAULTS = {
    "exits at start": ("sys.exit('No module named DiffusionSegLib')", "as soon as it was started.*exit status 1"),
    "exits at start without a word": ("sys.exit(3)", "exit status 3"),
    "garbage": ("send(b'Welcome to gpu-box!\\n'); time.sleep(60)", "Welcome to gpu-box"),
    "truncated frame": ("send(b'Content-Length: 100\\r\\n\\r\\n{')", "ends too early"),
    "truncated array": (
        "text = json.dumps({'attachments': [{'name': 'a', 'dtype': '<f4', 'shape': [9]}]}).encode();"
        "send(b'Content-Length: %d\\r\\n\\r\\n' % len(text) + text + b'123')",
        "ends too early",
    ),
    "length of 10 GB": ("send(b'Content-Length: 10737418240\\r\\n\\r\\n'); time.sleep(60)", "10.7 GB"),
    "array of 10 GB": (
        "say({'attachments': [{'name': 'a', 'dtype': '|u1', 'shape': [10737418240]}]}); time.sleep(60)",
        "10.7 GB",
    ),
    "no JSON": ("send(b'Content-Length: 5\\r\\n\\r\\nhello'); time.sleep(60)", "no JSON"),
    "an error that is none": ("told(); say({'id': 1, 'error': 'oh'}); linger()", "cannot be understood"),
    "an answer that is none": ("told(); say({'id': 1}); linger()", "no answer"),
    "progress that is none": ("told(); say({'method': 'progress', 'params': {}}); linger()", "cannot be understood"),
    "did not understand us": (
        "told(); say({'id': None, 'error': {'message': 'What is that?'}}); linger()",
        "did not understand.*What is that",
    ),
    "closes its pipe and stays": ("os.close(1); time.sleep(60)", "closed its end"),
    "dies in a call": ("say({'method': 'heartbeat'}); told(); sys.exit('Segmentation fault')", "ended unexpectedly"),
    "is killed in a call": ("say({'method': 'heartbeat'}); told(); os.kill(os.getpid(), 9)", "by force"),
    "leaves a child that holds the pipe": (
        "say({'method': 'heartbeat'}); told(); subprocess.Popen(['sleep', '60']); os._exit(4)",
        "exit status 4",
    ),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("code", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_ends_the_call_with_a_clear_error(code, told):
    start = time.monotonic()
    client = a_fake_worker(code)
    with pytest.raises(WorkerDied, match=told) as found:
        client.call("train", {})
    assert time.monotonic() - start < SOON
    assert found.value.hint
    assert not client.alive
    with pytest.raises(WorkerDied, match=told):
        client.call("train", {})
    client.close()


@pytest.mark.timeout(30)
def test_what_the_worker_last_said_is_the_hint():
    with pytest.raises(WorkerDied) as found:
        a_fake_worker("sys.exit('No module named DiffusionSegLib')").call("hello", {})
    assert "No module named DiffusionSegLib" in found.value.hint


@pytest.mark.timeout(30)
def test_a_silent_worker_is_ended():
    start = time.monotonic()
    client = a_fake_worker("time.sleep(60)", silence_seconds=0.5)
    with pytest.raises(WorkerDied, match="said nothing"):
        client.call("train", {})
    assert time.monotonic() - start < SOON


@pytest.mark.timeout(30)
def test_a_worker_that_is_heard_of_is_left_alone_however_long_it_takes():
    client = a_fake_worker(
        f"told(); end = time.time() + 1.5\nwhile time.time() < end:\n    "
        f"say({{'method': 'heartbeat'}}); time.sleep(0.1)\n{ANSWER}; linger()",
        silence_seconds=0.7,
    )
    with client:
        assert client.call("train", {}) == ({}, {})


@pytest.mark.timeout(30)
def test_calls_that_wait_behind_the_one_it_died_in_end_as_well():
    client = a_fake_worker("told(); time.sleep(0.3); sys.exit(1)")
    calls = [client.start("train", {}) for _ in range(3)]
    for call in calls:
        with pytest.raises(WorkerDied):
            call.result(SOON)
        assert call.done


@pytest.mark.timeout(30)
def test_an_answer_that_nobody_asked_for_does_no_harm():
    with a_fake_worker(f"say({{'id': 77, 'result': {{}}}}); told(); {ANSWER}; linger()") as client:
        assert client.call("hello", {}) == ({}, {})


@pytest.mark.timeout(30)
def test_an_error_of_a_call_leaves_the_worker_alive():
    refusal = "{'id': 1, 'error': {'code': 1, 'message': 'No.', 'data': {'hint': 'Ask again.'}}}"
    with a_fake_worker(f"told(); say({refusal}); linger()") as client:
        with pytest.raises(WorkerError, match="No") as found:
            client.call("train", {})
        assert found.value.hint == "Ask again."
        assert not isinstance(found.value, WorkerDied)
        assert client.alive


@pytest.mark.timeout(30)
def test_a_worker_that_does_not_stop_in_time_is_ended_within_seconds():
    client = a_fake_worker("linger()")
    call = client.start("train", {})
    with pytest.raises(TimeoutError):
        call.result(0.3)
    start = time.monotonic()
    client.cancel()
    with pytest.raises(WorkerDied, match="did not stop"):
        call.result()
    assert 0.9 < time.monotonic() - start < 3
    assert not client.alive


@pytest.mark.timeout(60)
def test_a_worker_that_is_still_being_sent_a_scan_has_time_to_stop_once_it_is_told():
    # Reads for three seconds, as through a slow connection, then obeys.
    code = """
start = time.monotonic()
refused = {'id': 1, 'error': {'code': 1, 'message': 'Stopped.'}}
while time.monotonic() < start + 3:
    say({'method': 'heartbeat'}); pipe_in.read(50_000); time.sleep(0.05)
while b'cancel' not in pipe_in.read(1_000_000):
    pass
say(refused)
linger()
"""
    with a_fake_worker(code) as client:
        call = client.start("open", {}, {"volume": np.zeros(20_000_000, np.uint8)})
        time.sleep(0.5)
        client.cancel()
        with pytest.raises(WorkerError, match="Stopped"):
            call.result(20)
        assert client.alive


@pytest.mark.timeout(30)
def test_a_cancel_without_a_call_does_nothing():
    with a_fake_worker("linger()") as client:
        client.cancel()
        time.sleep(1.5)
        assert client.alive


@pytest.mark.timeout(30)
def test_a_worker_that_does_not_read_does_not_block_who_sends():
    client = a_fake_worker("linger()")
    start = time.monotonic()
    call = client.start("open", {"text": "x" * 10_000_000})
    assert time.monotonic() - start < 1
    client.close(0)
    with pytest.raises(WorkerDied, match="closed"):
        call.result(SOON)
