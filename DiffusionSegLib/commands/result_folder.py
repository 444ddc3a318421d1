"""A folder of results that appear together or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from DiffusionSegLib.atomic_file import disk_error


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
    made = False
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
            yield Path(unfinished)
            for path in sorted(Path(unfinished).iterdir()):
                os.replace(path, folder / path.name)  # noqa: PTH105
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        if made and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
