"""Bringing warnings to the person at the screen, whatever the screen is."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from DiffusionSegLib.errors import DiffusionSegWarning


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """While entered, `tell` gets the sentence of every DiffusionSegWarning; others are one line of standard error."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, DiffusionSegWarning):
            tell(str(message))
        else:
            # Without its line of code: what a worker printed last is told if it ends unexpectedly.
            sys.stderr.write(f"{category.__name__}: {message}\n")

    with warnings.catch_warnings():
        warnings.showwarning = show
        warnings.simplefilter("always", DiffusionSegWarning)
        yield
