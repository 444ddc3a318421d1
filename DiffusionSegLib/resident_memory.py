"""How much memory this process holds, and the most that it has held."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def held_bytes() -> int | None:
    """What is held now; None where only Linux tells it."""
    return _status("VmRSS")


def peak_bytes() -> int | None:
    """The most that was held since `forget_peak`, or since the process began where it cannot be forgotten.

    None where it is not known (Windows).
    """
    if sys.platform == "win32":
        return None
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def forget_peak() -> bool:
    """Let `peak_bytes` count from now on; whether it does, which Linux alone can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    """A value of Linux' status of this process, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return None if found is None else 1024 * int(found[1])
