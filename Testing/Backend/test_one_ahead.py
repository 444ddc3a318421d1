import threading
from contextlib import closing

import pytest

from DiffusionSegLib.one_ahead import one_ahead


def test_the_next_item_is_made_by_another_thread_while_one_is_worked_with():
    made, second = [], threading.Event()

    def items():
        for number in range(4):
            made.append(threading.get_ident())
            if number == 1:
                second.set()
            yield number

    with closing(one_ahead(items())) as found:
        assert next(found) == 0
        assert second.wait(10)
        assert len(made) <= 2
        assert list(found) == [1, 2, 3]
    assert len(set(made)) == 1
    assert threading.get_ident() not in made


def test_what_fails_fails_in_its_turn_and_the_thread_ends():
    def items():
        yield 1
        raise ValueError("injected")

    before, found = threading.active_count(), one_ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="injected"):
        next(found)
    assert threading.active_count() == before


def test_the_thread_ends_where_nobody_wants_the_rest():
    before = threading.active_count()
    with closing(one_ahead(iter(range(1, 100)))) as found:
        next(found)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
