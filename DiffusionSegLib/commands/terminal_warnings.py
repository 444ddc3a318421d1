"""Warnings in the terminal."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from DiffusionSegLib.told_warnings import warnings_told


def warnings_on_one_line() -> AbstractContextManager[None]:
    """While entered, what the person at the screen should know is told without the code that it comes from."""
    return warnings_told(lambda message: print(f"\ndiffusionseg: {message}", file=sys.stderr))
