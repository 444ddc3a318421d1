"""Results must not take the place of what they are made from."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from DiffusionSegLib.errors import DiffusionSegError


def check_inputs_kept(inputs: Iterable[Path], results: Iterable[Path]) -> None:
    """Raise a DiffusionSegError if an input is one of the files to be written: said before any work.

    Args:
        inputs: files and folders that are read; those that do not exist are passed over.
        results: files that will be written.
    """
    # By what is on the disk: names differ by links, and on some disks by capital letters.
    replaced = [path for path in results if _exists(path)]
    for path in inputs:
        if _exists(path) and any(path.samefile(result) for result in replaced):
            message = f"The result would replace {path}, which it is made from."
            raise DiffusionSegError(message, "Choose another place for the results.")


def _exists(path: Path) -> bool:
    # Names that no disk takes, and folders that may not be entered, are told of by who reads or writes there.
    with suppress(OSError):
        return path.exists()
    return False
