"""How much memory there is, on this computer, and on those whose answers are written down here."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from DiffusionSegLib import free_memory
from DiffusionSegLib.free_memory import available_memory

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                5000.
Pages active:                            300000.
Pages inactive:                            2000.
Pages speculative:                          500.
Pages wired down:                         90000.
"""


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """A /proc of Linux that tells of 3 GB that are free, and 1 GB that this process holds."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(free_memory, "PROC", tmp_path)
    monkeypatch.setattr(free_memory, "memory_left_in_container", lambda: None)
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal: 9000000 kB\nMemFree: 1 kB\nMemAvailable:    3000000 kB\n")
    (tmp_path / "self" / "status").write_text("Name: python\nVmRSS:\t 5 kB\nRssAnon:\t 1000000 kB\n")
    return tmp_path


def test_on_linux_it_is_what_is_free_and_what_is_held(proc):
    assert available_memory() == 4_000_000 * 1024


@pytest.mark.parametrize(("left", "expected"), [(1_000_000, 2_000_000), (5_000_000, 4_000_000)])
def test_in_a_container_no_more_is_free_than_it_leaves(proc, monkeypatch, left, expected):
    monkeypatch.setattr(free_memory, "memory_left_in_container", lambda: left * 1024)
    assert available_memory() == expected * 1024


@pytest.mark.parametrize("name", ["meminfo", "self/status"])
@pytest.mark.parametrize("content", [None, "", "MemAvailable: many"])
def test_what_cannot_be_read_is_not_known(proc, name, content):
    (proc / name).unlink()
    if content is not None:
        (proc / name).write_text(content)
    assert available_memory() is None


@LINUX
def test_what_this_process_takes_counts_as_held_by_it(tmp_path, monkeypatch):
    # The free memory of this computer changes with every other program: here it is written down.
    (tmp_path / "meminfo").write_text("MemAvailable:    3000000 kB\n")
    (tmp_path / "self").symlink_to("/proc/self")
    monkeypatch.setattr(free_memory, "PROC", tmp_path)
    monkeypatch.setattr(free_memory, "memory_left_in_container", lambda: None)
    # What the allocator kept from other tests would be taken first, and is held already.
    taken = np.frombuffer(mmap.mmap(-1, 400_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.uint8)
    before = available_memory()
    taken[:] = 1
    assert available_memory() - before > 0.9 * taken.nbytes


def test_on_a_mac_it_is_what_vm_stat_and_ps_say(monkeypatch):
    said = {"vm_stat": VM_STAT, "ps": " 1024\n"}
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: SimpleNamespace(stdout=said[command[0]]))
    assert available_memory() == 7500 * 16384 + 1024 * 1024
    said["vm_stat"] = "vm_stat: something else"
    assert available_memory() is None


def a_windows(*, knows: bool = True):
    """The functions of kernel32 that are asked: 3 GB are free, 1 GB is held."""

    def fill(reference, **values):
        for name, value in values.items():
            setattr(reference._obj, name, value)
        return int(knows)

    def current():
        return -1

    return SimpleNamespace(
        GlobalMemoryStatusEx=lambda status: fill(status, free=3 * 2**30),
        K32GetProcessMemoryInfo=lambda _process, counters, size: fill(counters, held=2**30) * (size >= 40),
        GetCurrentProcess=current,
    )


@pytest.mark.parametrize(("knows", "expected"), [(True, 4 * 2**30), (False, None)])
def test_on_windows_it_is_what_the_kernel_says(monkeypatch, knows, expected):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: a_windows(knows=knows) if name == "kernel32" else None)
    assert available_memory() == expected


def test_windows_own_structures_have_the_sizes_that_it_checks():
    assert ctypes.sizeof(free_memory._MemoryStatus) == 64
    assert ctypes.sizeof(free_memory._ProcessMemory) == 8 + 8 * ctypes.sizeof(ctypes.c_size_t)
