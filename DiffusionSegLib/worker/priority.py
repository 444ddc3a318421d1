"""How the worker shares the processor with the program that somebody sits in front of."""

from __future__ import annotations

import os
import sys

from DiffusionSegLib.windows_process import kernel_and_process

NICENESS = 5
# Of Windows' SetPriorityClass.
BELOW_NORMAL = 0x4000


def give_way() -> None:
    """Let programs of usual priority go first, so that painting stays smooth while the worker computes on all cores."""
    if sys.platform == "win32":
        kernel, process = kernel_and_process()
        kernel.SetPriorityClass(process, BELOW_NORMAL)
    else:
        os.nice(NICENESS)
