"""Keeping ITK's own warnings from the terminal, where what matters of them is told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import SimpleITK as sitk

# ITK has one setting for the whole process: whoever changes it must be the one who restores it.
_SETTING = RLock()


@contextmanager
def without_itk_warnings() -> Iterator[None]:
    """While entered, by one thread at a time, ITK does not print warnings; its errors are raised as ever."""
    with _SETTING:
        before = sitk.ProcessObject.GetGlobalWarningDisplay()
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalWarningDisplay(before)
