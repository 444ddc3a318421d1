import threading

import pytest

from DiffusionSegLib.worker.request_queue import Request, RequestQueue, Stopped


def a_request(number):
    return Request(number, "train", {}, {}, 1)


def test_requests_come_in_their_order():
    queue = RequestQueue()
    for number in (1, 2):
        queue.put(a_request(number))
    assert [queue.next().identifier, queue.next().identifier] == [1, 2]


def test_the_running_request_is_stopped_and_the_next_one_is_not():
    queue = RequestQueue()
    queue.put(a_request(1))
    queue.put(a_request(2))
    queue.next()
    assert queue.cancel(1) is None
    with pytest.raises(Stopped):
        queue.check()
    queue.next()
    queue.check()


def test_a_cancel_without_a_name_means_the_running_request():
    queue = RequestQueue()
    queue.put(a_request(1))
    queue.next()
    queue.cancel(None)
    with pytest.raises(Stopped):
        queue.check()


def test_a_cancel_that_comes_too_late_stops_nothing():
    queue = RequestQueue()
    queue.put(a_request(2))
    queue.next()
    assert queue.cancel(1) is None
    queue.check()


def test_a_request_that_waits_is_taken_out():
    queue = RequestQueue()
    for number in (1, 2, 3):
        queue.put(a_request(number))
    queue.next()
    assert queue.cancel(2).identifier == 2
    assert queue.next().identifier == 3


def test_closing_ends_the_waiting_and_stops_what_runs():
    queue = RequestQueue()
    found = []
    thread = threading.Thread(target=lambda: found.append(queue.next()))
    thread.start()
    queue.close()
    thread.join(5)
    assert found == [None]
    with pytest.raises(Stopped):
        queue.check()
