"""Files that appear complete or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from DiffusionSegLib.errors import DiffusionSegError

LITTLE_SPACE_BYTES = 2**16


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place at the end; nothing is left behind after an error.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".unfinished-") as folder:
            # The same name, because writers choose the format by its ending.
            part = Path(folder) / path.name
            with _full_disk_as_os_error(path.parent):
                yield part
            # safetensors writes files that only their owner can read; results follow the user's own setting.
            part.chmod(0o666 & ~_umask())
            os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        raise disk_error(error, path.parent) from error


def write_json(path: Path, content: object) -> None:
    """Write indented JSON that appears complete or not at all.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")


@contextmanager
def _full_disk_as_os_error(folder: Path) -> Iterator[None]:
    """Let a full disk look the same whichever library met it: SimpleITK and safetensors raise errors of their own."""
    try:
        yield
    except Exception as error:
        # By name: files are also written where that library is not installed.
        of_library = isinstance(error, RuntimeError) or type(error).__name__ == "SafetensorError"
        if of_library and ("No space left" in str(error) or shutil.disk_usage(folder).free < LITTLE_SPACE_BYTES):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise


def _umask() -> int:
    # The only way to ask is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def disk_error(error: OSError, folder: Path) -> DiffusionSegError:
    """What to tell about an operating system's error while writing to `folder`."""
    if error.errno == errno.ENOSPC:
        return DiffusionSegError(
            f"There is no space left on the disk of {folder}.", "Free some, or choose another folder."
        )
    return DiffusionSegError(f"{folder} cannot be written to.", "Choose a folder that you may write to.")
