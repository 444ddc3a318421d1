"""Knowing an error that only says that the memory does not suffice."""

from __future__ import annotations

OF_CPU = "DefaultCPUAllocator"


def is_memory_shortage(error: Exception) -> bool:
    """Whether less work at a time may do, on a GPU or not; without loading torch."""
    # By name, because older versions of torch have the class in another place, and no class for the CPU's memory.
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or OF_CPU in str(error)
