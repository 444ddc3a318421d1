"""Bringing warnings to the person at the screen, whatever the screen is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from DiffusionSegLib.errors import DiffusionSegWarning


@contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """While entered, `tell` gets the sentence of every DiffusionSegWarning; all others are shown as usual."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, DiffusionSegWarning):
                tell(str(message))
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        warnings.simplefilter("always", DiffusionSegWarning)
        yield
