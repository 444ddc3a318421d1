"""Items of which the next is made while one is worked with."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The items of an iterator, in order, which one thread takes; none of them may be None."""
    with ThreadPoolExecutor(1) as thread:

        def taken() -> Future[Item | None]:
            return thread.submit(next, items, None)

        coming = taken()
        while (item := coming.result()) is not None:
            coming = taken()
            yield item
