"""Loads .ui files that were written for widgets of C++, of which there are fakes in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from PySide6 import QtCore, QtUiTools

# What a C++ type that Python does not know is called in signals and slots of Python.
CPP_TYPES = {"vtkMRMLScene*": "PyObject"}


class StrictUiLoader(QtUiTools.QUiLoader):
    """A loader to which nothing may be unclear: what Qt only warns of raises RuntimeError.

    Args:
        in_python: gives the text of a file as Python's widgets understand it.
    """

    def __init__(self, in_python: Callable[[str], str]) -> None:
        super().__init__()
        self._in_python = in_python

    def load(self, file: QtCore.QIODevice):
        """The widget that the open file describes."""
        text = bytes(file.readAll()).decode()
        buffer = QtCore.QBuffer()
        buffer.setData(self._in_python(text).encode())
        buffer.open(QtCore.QIODevice.ReadOnly)
        with qt_warnings_raised():
            return super().load(buffer)


def ui_in_python(text: str, widgets: Mapping[str, type]) -> str:
    """The text of a .ui file with the types and flags of C++ replaced by what there is of them in Python.

    Args:
        text: of the file.
        widgets: fakes by the name of their class in C++; flags are members of theirs.

    Raises:
        AttributeError: if a widget has no such flag.
    """

    def value(flags: re.Match) -> str:
        values = [getattr(widgets[cls], flag) for cls, flag in re.findall(r"(\w+)::(\w+)", flags[1])]
        return f"<number>{sum(values)}</number>"

    names = "|".join(widgets)
    text = re.sub(rf"<set>((?:(?:{names})::\w+\|?)+)</set>", value, text)
    for cpp, python in CPP_TYPES.items():
        text = text.replace(cpp, python)
    return text


@contextmanager
def qt_warnings_raised() -> Iterator[None]:
    """Raise as RuntimeError what Qt warns of within the context."""
    warnings: list[str] = []
    before = QtCore.qInstallMessageHandler(lambda _kind, _context, message: warnings.append(message))
    try:
        yield
    finally:
        QtCore.qInstallMessageHandler(before)
    if warnings:
        raise RuntimeError("; ".join(warnings))
