"""What is told in the terminal, beside results."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from DiffusionSegLib.told_warnings import warnings_told


def tell(message: object) -> None:
    """Tell a problem, on a line of its own: a progress bar may have begun one."""
    sys.stderr.write(f"\ndiffusionseg: {message}\n")


def warnings_on_one_line() -> AbstractContextManager[None]:
    """While entered, what the person at the screen should know is told without the code that it comes from."""
    return warnings_told(tell)
