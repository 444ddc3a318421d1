"""This process, as Windows' kernel knows it."""

from __future__ import annotations

import ctypes
from typing import Any


def kernel_and_process() -> tuple[Any, ctypes.c_void_p]:
    """The functions of kernel32, and the handle of this process that they take."""
    kernel = ctypes.CDLL("kernel32")
    # By default a handle would be cut to 32 bits.
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    return kernel, ctypes.c_void_p(kernel.GetCurrentProcess())
