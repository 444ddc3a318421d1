"""Work that threads share out."""

import threading
import time

import pytest
import torch

from DiffusionSegLib.crew import Crew


@pytest.fixture(params=[1, 3])
def cores(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_every_item_is_worked_on_once_and_counted_in_the_callers_thread(cores):
    done, told = [], []
    with Crew(torch.device("cpu")) as crew:
        crew.each(done.append, range(20), lambda count: told.append((count, threading.current_thread())))
    assert sorted(done) == list(range(20))
    assert told == [(count, threading.current_thread()) for count in range(1, 21)]


def test_each_thread_computes_on_one_core_and_others_get_theirs_back(cores):
    seen, later = set(), []
    with Crew(torch.device("cpu")) as crew:
        assert crew.size == cores
        crew.each(lambda _: seen.add(torch.get_num_threads()), range(20))
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (seen, later, torch.get_num_threads()) == ({1}, [cores], cores)


def test_what_is_raised_comes_through_and_leaves_out_the_rest(cores):
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.001)
        if item == 2:
            raise ValueError("third")

    with Crew(torch.device("cpu")) as crew, pytest.raises(ValueError, match="third"):
        crew.each(work, range(10_000))
    assert len(begun) < 10_000


def test_a_caller_that_has_enough_stops_the_rest(cores):
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.001)

    def enough(count):
        raise KeyboardInterrupt

    with Crew(torch.device("cpu")) as crew, pytest.raises(KeyboardInterrupt):
        crew.each(work, range(10_000), enough)
    assert len(begun) < 10_000
