"""Knowing an error that only says that the memory does not suffice, and telling of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from DiffusionSegLib.errors import DiffusionSegError

# What PyTorch, and ITK twice, say.
OF_CPU = ("DefaultCPUAllocator", "Failed to allocate memory", "bad_alloc")


def is_memory_shortage(error: Exception) -> bool:
    """Whether less work at a time may do, on a GPU or not; without loading torch."""
    # By name, because older versions of torch have the class in another place, and no class for the CPU's memory.
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return known or any(sign in str(error) for sign in OF_CPU)


def memory_problem() -> DiffusionSegError:
    """What to tell of a lack of memory."""
    message = "The memory does not suffice, even for the smallest piece of work."
    return DiffusionSegError(message, "Close other programs, choose the device cpu, or crop the scan.")


@contextmanager
def shortage_told() -> Iterator[None]:
    """While entered, a lack of memory is a problem that the person at the screen can act on.

    Raises:
        DiffusionSegError: if the memory does not suffice.
    """
    try:
        yield
    except Exception as error:
        if not is_memory_shortage(error):
            raise
        raise memory_problem() from error
