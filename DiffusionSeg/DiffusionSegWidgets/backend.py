"""Where the backend lies and how its worker is started."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import slicer

PACKAGE = "DiffusionSegLib"


def backend_folder() -> Path:
    """The folder that holds the backend: the module's own where it is installed, the one above in a clone."""
    module = Path(__file__).resolve().parents[1]
    return module if (module / PACKAGE).is_dir() else module.parent


def make_backend_importable() -> None:
    """Let Slicer's Python find the backend's client, which needs no torch."""
    folder = str(backend_folder())
    if folder not in sys.path:
        sys.path.append(folder)


def python_command() -> list[str]:
    """Slicer's own Python as a program; it is a launcher that sets up the libraries' paths."""
    return [shutil.which("PythonSlicer") or sys.executable]


def worker_command(custom: str) -> list[str]:
    """What starts the worker.

    Args:
        custom: the user's own command, such as `ssh gpu-box diffusionseg worker`; empty for Slicer's Python.

    Raises:
        ValueError: if a quotation mark has no partner.
    """
    if custom.strip():
        # A Windows path is full of backslashes, which are no escapes.
        return [word.strip('"') for word in shlex.split(custom, posix=os.name != "nt")]
    return [*python_command(), "-m", PACKAGE, "worker"]


def worker_environment(custom: str) -> dict[str, str]:
    """The environment in which the worker is started.

    Args:
        custom: the user's own command, which finds what it needs by itself; empty for Slicer's Python, which is told
            where the backend lies.
    """
    if custom.strip():
        # Slicer's own Python and libraries would get in the way of another Python's, and of ssh.
        return slicer.util.startupEnvironment()
    paths = [str(backend_folder()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
