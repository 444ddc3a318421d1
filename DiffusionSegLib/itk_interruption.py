"""Alignments by ITK that Ctrl-C and other exceptions stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import SimpleITK as sitk


@contextmanager
def interruptible(method: sitk.ImageRegistrationMethod, on_iteration: Callable[[], object]) -> Iterator[None]:
    """While entered, what `on_iteration` raises at an iteration of a method, and Ctrl-C, stop it and come through.

    ITK itself would print the exception and raise an error of its own.
    """
    raised: list[BaseException] = []

    def iterated() -> None:
        if not raised:
            try:
                on_iteration()
            except BaseException as error:
                raised.append(error)
        if raised:
            # This ends one level, and the next begins.
            method.StopRegistration()

    method.AddCommand(sitk.sitkIterationEvent, iterated)
    try:
        with _ctrl_c_noted(raised):
            yield
    except RuntimeError:
        if not raised:
            raise
    if raised:
        raise raised[0]


@contextmanager
def _ctrl_c_noted(raised: list[BaseException]) -> Iterator[None]:
    """While entered, Ctrl-C raises nothing but is noted: Python raises it before a callback's first line."""
    # Others, such as one that ignores it, stay as they are; only the main thread may ask for another.
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        raised.append(KeyboardInterrupt())

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
