"""What to tell of a scan that needs more memory than there is; loads neither torch nor anything else."""

from __future__ import annotations

GIGABYTE = 2**30


def memory_warning(needed: int, available: int | None) -> str | None:
    """What to do where a run needs more memory than it can have; None if it fits, or if nobody knows.

    Cropping helps because all that is kept grows with the number of voxels; a background region changes none of it.

    Args:
        needed: bytes of the whole run.
        available: bytes that it can have; None if that is not known.
    """
    if available is None or needed <= available:
        return None
    return (
        f"It needs {needed / GIGABYTE:.1f} GB of memory, but only {available / GIGABYTE:.1f} GB are free: close other "
        "programs, crop the volume to the part with the structures, or use a computer with more memory."
    )


def gpu_memory_warning(wanted: int, free: int | None) -> str | None:
    """What to do where a GPU cannot hold all that it would; None if it can, or if there is none.

    Args:
        wanted: bytes of its memory with which nothing would have to be copied again and again.
        free: bytes of it that are free; None without a GPU.
    """
    if free is None or wanted <= free:
        return None
    return (
        f"The GPU has only {free / GIGABYTE:.1f} GB of memory free and is faster with {wanted / GIGABYTE:.1f} GB: "
        "close other programs that use it, or crop the volume to the part with the structures."
    )
