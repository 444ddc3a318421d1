"""How the worker shares the processor with the program that somebody sits in front of."""

from __future__ import annotations

import ctypes
import os
import sys

NICENESS = 5
# Of Windows' SetPriorityClass.
BELOW_NORMAL = 0x4000


def give_way() -> None:
    """Let programs of usual priority go first, so that painting stays smooth while the worker computes on all cores."""
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetPriorityClass(ctypes.c_void_p(kernel.GetCurrentProcess()), BELOW_NORMAL)
    else:
        os.nice(NICENESS)
