"""How much memory Linux' control groups leave to this process: containers and batch systems set limits by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def memory_left_in_container() -> int | None:
    """Bytes that the strictest of the groups leaves, with what it keeps of files and can drop; None without a limit."""
    if not OWN_GROUPS.exists():
        return None
    left = [found for group in _groups() if (found := _left_in(group)) is not None]
    return min(left, default=None)


def _groups() -> Iterator[Path]:
    """The folders of the groups that this process is in, each up to the root, where a container shows its own."""
    for line in OWN_GROUPS.read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        # Version 2 names no controller.
        if controllers in ("", "memory"):
            root = GROUPS / controllers
            own = root / path.lstrip("/")
            yield from (group for group in (own, *own.parents) if group.is_relative_to(root))


def _left_in(group: Path) -> int | None:
    for limit, used, prefix in (
        ("memory.max", "memory.current", ""),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    ):
        try:
            most, held = ((group / name).read_text(encoding="ascii").strip() for name in (limit, used))
        except OSError:
            continue
        if most.isdecimal() and held.isdecimal():
            return max(int(most) - int(held) + _kept_of_files(group, prefix), 0)
    return None


def _kept_of_files(group: Path, prefix: str) -> int:
    """Bytes that the group keeps of files, used lately or not: they are dropped when memory is short."""
    try:
        told = (group / "memory.stat").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(map(int, re.findall(rf"^{prefix}(?:in)?active_file (\d+)$", told, re.MULTILINE)))
