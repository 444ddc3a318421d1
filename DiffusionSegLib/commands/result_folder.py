"""A folder of results that appear together or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from DiffusionSegLib.atomic_file import hidden_folder_in


def check_result_folder(folder: Path) -> None:
    """Raise a DiffusionSegError if a folder cannot be written to: said before the long work, not after it."""
    with result_folder(folder):
        pass


@contextmanager
def result_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder to write to, whose files move into `folder` at the end; after an error nothing stays behind.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with hidden_folder_in(folder) as unfinished:
        yield unfinished
        for path in sorted(unfinished.iterdir()):
            os.replace(path, folder / path.name)  # noqa: PTH105
