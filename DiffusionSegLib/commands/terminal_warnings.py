"""Warnings in the terminal."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from DiffusionSegLib.errors import DiffusionSegWarning


@contextmanager
def warnings_on_one_line() -> Iterator[None]:
    """While entered, what the person at the screen should know is told without the code that it comes from."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, DiffusionSegWarning):
                sys.stderr.write(f"\ndiffusionseg: {message}\n")
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        warnings.simplefilter("always", DiffusionSegWarning)
        yield
