"""What a benchmark tells of its progress, beside the tables on standard output."""

from __future__ import annotations

import sys


def log(line: str) -> None:
    """Write a line to standard error at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
