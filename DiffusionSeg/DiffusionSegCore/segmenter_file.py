"""Segmenters on this computer's disk; the worker, wherever it runs, only ever sees what is in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.errors import DiffusionSegError


def read_segmenter(path: str | Path) -> dict[str, np.ndarray]:
    """What the worker is sent of a segmenter's file.

    Raises:
        DiffusionSegError: if the file cannot be read.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DiffusionSegError(f"There is no segmenter {path}.", "Choose another file, or train again.") from error
    except OSError as error:
        message = f"The segmenter {path} cannot be read."
        raise DiffusionSegError(message, "Choose a file that you may read, or train again.") from error
    return {"segmenter": np.frombuffer(content, np.uint8)}


def write_segmenter(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write what the worker sent into a file, in one go.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    with atomic_path(Path(path)) as part:
        part.write_bytes(arrays["segmenter"].tobytes())
