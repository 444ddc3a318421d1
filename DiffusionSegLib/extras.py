"""Packages that only some commands need, and how to get them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from DiffusionSegLib.errors import DiffusionSegError


@contextmanager
def of_extra(extra: str, need: str) -> Iterator[None]:
    """Import packages of an extra of this one, and tell of those that are missing.

    Args:
        extra: what pip is told to install.
        need: who needs which package, the beginning of a sentence.

    Raises:
        DiffusionSegError: if an import fails.
    """
    try:
        yield
    except ImportError as error:
        raise not_installed(extra, need) from error


def not_installed(extra: str, need: str) -> DiffusionSegError:
    """The same error without an import."""
    return DiffusionSegError(
        f"{need}, which is not installed.", f"Install it with: pip install 'DiffusionSeg[{extra}]'."
    )
