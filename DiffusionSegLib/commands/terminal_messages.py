"""What is told in the terminal, beside results."""

from __future__ import annotations

import io
import os
import sys
from contextlib import AbstractContextManager

from DiffusionSegLib.told_warnings import warnings_told


def tell_in_any_encoding() -> None:
    """Let names be told that the terminal has no characters for: one odd file name would end a run over many."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tell(message: object) -> None:
    """Tell a problem, on a line of its own: a progress bar may have begun one."""
    sys.stderr.write(f"\ndiffusionseg: {message}\n")


def refusal(error: OSError) -> str:
    """What to tell of an operating system's error that nothing was prepared for, such as a share that went away."""
    reason = (error.strerror or type(error).__name__).lower()
    return f"{error.filename or 'A file'} cannot be used: {reason}."


def warnings_on_one_line(about: object = "") -> AbstractContextManager[None]:
    """While entered, what the person at the screen should know is told without the code that it comes from.

    Args:
        about: which of several scans it is told of.
    """
    return warnings_told(lambda sentence: tell(f"{about}: {sentence}" if about else sentence))


def stop_printing() -> None:
    """Let nothing more be printed after whoever read it has gone, not even at the end of the process."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
