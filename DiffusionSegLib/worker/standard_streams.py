"""Keeping the pipe to the client for messages alone."""

from __future__ import annotations

import os
import sys
from typing import IO


def take_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """What was standard input and output, unbuffered, for messages alone.

    From then on whatever any library prints, in Python or in C, goes to standard error, and nothing can be read from
    standard input.
    """
    sys.stdout.flush()
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(incoming, "rb", buffering=0), os.fdopen(outgoing, "wb", buffering=0)
