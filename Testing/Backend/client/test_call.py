import threading

import pytest

from DiffusionSegLib.client import Call, WorkerDied, WorkerError

ANSWER = ({"voxels": 3}, {})


def test_a_call_without_an_answer_is_not_done_and_times_out():
    call = Call("train")
    assert not call.done
    with pytest.raises(TimeoutError, match="train"):
        call.result(0.05)


def test_the_answer_can_be_asked_for_again():
    call = Call("train")
    call.take(ANSWER)
    assert call.done
    assert call.result() == call.result(0) == ANSWER


def test_only_the_first_outcome_counts():
    call = Call("train")
    call.take(WorkerError("No."))
    call.take(ANSWER)
    with pytest.raises(WorkerError, match="No"):
        call.result()


def test_who_waits_is_told_of_progress_on_their_own_thread_and_before_the_answer():
    told = []
    call = Call("train", lambda *report: told.append((threading.current_thread(), *report)))

    def work():
        for number in range(3):
            call.take_progress("training", number, 3)
        call.take(ANSWER)

    thread = threading.Thread(target=work)
    thread.start()
    assert call.result(5) == ANSWER
    thread.join()
    assert told == [(threading.current_thread(), "training", number, 3) for number in range(3)]


def test_whoever_is_told_of_progress_may_wait_no_longer():
    def stop(*_):
        raise KeyboardInterrupt

    call = Call("train", stop)
    call.take_progress("training", 0, 3)
    with pytest.raises(KeyboardInterrupt):
        call.result()


def test_a_call_is_refused_by_a_worker_that_lives_not_by_one_that_died():
    refused, lost = Call("open"), Call("open")
    refused.take(WorkerError("No."))
    lost.take(WorkerDied("Gone."))
    assert refused.refused
    assert not lost.refused
