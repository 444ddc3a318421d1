"""Knowing an error that only says that the memory does not suffice, and telling of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from DiffusionSegLib.errors import DiffusionSegError

# What PyTorch, and ITK twice, say.
OF_CPU = ("DefaultCPUAllocator", "Failed to allocate memory", "bad_alloc")
# Drivers, cuBLAS and cuDNN have no class of their own for it; cuDNN finds no engine where none has room to work in.
OF_GPU = ("out of memory", "alloc_failed", "allocation_failed", "unable to find an engine")


def is_memory_shortage(error: Exception) -> bool:
    """Whether less work at a time may do, on a GPU or not; without loading torch."""
    # By name, because older versions of torch have the class in another place, and no class for the CPU's memory.
    known = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if known or any(sign in str(error) for sign in OF_CPU):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in OF_GPU)


def memory_problem() -> DiffusionSegError:
    """What to tell of a lack of memory."""
    message = "The memory does not suffice, even for the smallest piece of work."
    return DiffusionSegError(message, "Close other programs, choose the device cpu, or crop the scan.")


def training_memory_problem() -> DiffusionSegError:
    """What to tell where a step of a pretraining lacks memory, which is not done in smaller pieces."""
    return DiffusionSegError(
        "The memory does not suffice for a step of the training.", "Choose a smaller --batch or --crop."
    )


@contextmanager
def shortage_told(problem: Callable[[], DiffusionSegError] = memory_problem) -> Iterator[None]:
    """While entered, a lack of memory is a problem that the person at the screen can act on.

    Args:
        problem: makes what to tell.

    Raises:
        DiffusionSegError: if the memory does not suffice.
    """
    try:
        yield
    except Exception as error:
        if not is_memory_shortage(error):
            raise
        raise problem() from error
