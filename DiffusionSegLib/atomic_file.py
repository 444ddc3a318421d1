"""Files that appear complete or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.memory_shortage import is_memory_shortage

UNFINISHED = ".unfinished-"
LITTLE_SPACE_BYTES = 2**16
# A full disk, a used up quota, and a file that is larger than the disk can take.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SIGNS_OF_NO_ROOM = tuple(os.strerror(number) for number in NO_ROOM)
# What SimpleITK and PyTorch say when they cannot write; both raise plain RuntimeErrors.
SIGNS_OF_WRITERS = ("SimpleITK", "sitk::ERROR", "inline_container")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place at the end; nothing is left behind after an error.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with hidden_folder_in(path.parent) as folder:
        # The same name, because writers choose the format by its ending.
        part = folder / path.name
        with _writers_errors_as_os_errors(path.parent):
            yield part
        # safetensors writes files that only their owner can read; results follow the user's own setting.
        # Shares may let only their owner change that, which must not cost the file.
        with suppress(OSError):
            part.chmod(0o666 & ~_umask())
        os.replace(part, path)  # noqa: PTH105


@contextmanager
def hidden_folder_in(folder: Path) -> Iterator[Path]:
    """A hidden folder within `folder`, which is made if need be; of both only what was moved out of it stays.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    made: list[Path] = []
    try:
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as hidden:
            yield Path(hidden)
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        for place in made:
            # Those that something stays in refuse to go.
            with suppress(OSError):
                place.rmdir()


def write_json(path: Path, content: object) -> None:
    """Write indented JSON that appears complete or not at all.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")


@contextmanager
def _writers_errors_as_os_errors(folder: Path) -> Iterator[None]:
    """Let what keeps a file from being written look the same, though some libraries raise errors of their own."""
    try:
        yield
    except Exception as error:
        if not _is_of_a_writer(error) or is_memory_shortage(error):
            raise
        no_room = any(sign in str(error) for sign in SIGNS_OF_NO_ROOM)
        no_room = no_room or shutil.disk_usage(folder).free < LITTLE_SPACE_BYTES
        raise OSError(errno.ENOSPC if no_room else errno.EIO, str(error)) from error


def _is_of_a_writer(error: Exception) -> bool:
    # By name: files are also written where that library is not installed.
    if type(error).__name__ == "SafetensorError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS_OF_WRITERS)


def _umask() -> int:
    # The only way to ask is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def disk_error(error: OSError, folder: Path) -> DiffusionSegError:
    """What to tell about an operating system's error while writing to `folder`."""
    # Hidden folders are gone by the time that they are told of.
    known = next(place for place in (folder, *folder.parents) if not place.name.startswith(UNFINISHED))
    if error.errno in NO_ROOM:
        return DiffusionSegError(
            f"There is no space left on the disk of {known}.", "Free some, or choose another folder."
        )
    return DiffusionSegError(f"{known} cannot be written to.", "Choose a folder that you may write to.")
