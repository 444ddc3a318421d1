"""How much memory this process could have: what is free on the computer, and what it holds itself."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

from DiffusionSegLib.container_memory import memory_left_in_container
from DiffusionSegLib.windows_process import kernel_and_process

PROC = Path("/proc")
MAC_COMMAND_SECONDS = 5


def available_memory() -> int | None:
    """Bytes of main memory that this process could have in all, without other programs giving any back.

    None where the system does not tell.
    """
    try:
        if sys.platform == "win32":
            return _free_on_windows() + _held_on_windows()
        if sys.platform == "darwin":
            return _free_on_mac() + _held_on_mac()
        return _free_on_linux() + _kilobytes(PROC / "self" / "status", "RssAnon")
    # Whatever such a system says instead: what is not known keeps nobody from working.
    except (OSError, ValueError, AttributeError, subprocess.SubprocessError):
        return None


def _free_on_linux() -> int:
    free, left = _kilobytes(PROC / "meminfo", "MemAvailable"), memory_left_in_container()
    return free if left is None else min(free, left)


def _kilobytes(path: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+) kB", path.read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise ValueError(name)
    return int(found[1]) * 1024


class _MemoryStatus(ctypes.Structure):
    """Windows' MEMORYSTATUSEX."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "total_page", "free_page", "total_virtual")),
        *((name, ctypes.c_uint64) for name in ("free_virtual", "free_extended")),
    ]


class _ProcessMemory(ctypes.Structure):
    """Windows' PROCESS_MEMORY_COUNTERS."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("faults", ctypes.c_uint32),
        *((name, ctypes.c_size_t) for name in ("peak", "held", "peak_paged", "paged", "peak_nonpaged", "nonpaged")),
        *((name, ctypes.c_size_t) for name in ("pagefile", "peak_pagefile")),
    ]


def _free_on_windows() -> int:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    if not ctypes.CDLL("kernel32").GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx")
    return int(status.free)


def _held_on_windows() -> int:
    counters = _ProcessMemory(length=ctypes.sizeof(_ProcessMemory))
    kernel, process = kernel_and_process()
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.length):
        raise OSError("K32GetProcessMemoryInfo")
    return int(counters.held)


def _free_on_mac() -> int:
    """What is free, and what can be dropped because it is also on disk or was not used for long."""
    said = _output("vm_stat")
    page = re.search(r"page size of (\d+) bytes", said)
    pages = re.findall(r"^Pages (?:free|inactive|speculative):\s*(\d+)", said, re.MULTILINE)
    if page is None or not pages:
        raise ValueError("vm_stat")
    return int(page[1]) * sum(map(int, pages))


def _held_on_mac() -> int:
    return int(_output("ps", "-o", "rss=", "-p", str(os.getpid()))) * 1024


def _output(*command: str) -> str:
    finished = subprocess.run(  # noqa: S603 - only the two above
        command, capture_output=True, text=True, check=True, timeout=MAC_COMMAND_SECONDS
    )
    return finished.stdout
