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
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most, held = ((group / name).read_text(encoding="ascii").strip() for name in (limit, used))
            of_files = re.search(
                rf"^{cached} (\d+)$", (group / "memory.stat").read_text(encoding="ascii"), re.MULTILINE
            )
        except OSError:
            continue
        if most.isdecimal() and held.isdecimal():
            return max(int(most) - int(held) + (int(of_files[1]) if of_files else 0), 0)
    return None
