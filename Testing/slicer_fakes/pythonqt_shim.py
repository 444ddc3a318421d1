"""PySide6 dressed up as PythonQt: a module `qt` whose objects have their Qt properties as attributes."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from types import ModuleType

from PySide6 import QtCore, QtGui, QtWidgets

from slicer_fakes.ui_loader import StrictUiLoader, ui_in_python

# PySide6 6.12 releases None and True once too often at each signal and call that returns them. Python 3.12 made them
# immortal; before, the process ends when the count reaches zero, also while it exits: these are never given back.
if sys.version_info < (3, 12):
    SPARE_REFERENCES = [None, True, False] * 500_000
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(SPARE_REFERENCES))

# Properties with a virtual reader: Qt looks for an override by that name, so shadowing them would never end.
VIRTUAL = {"sizeHint", "minimumSizeHint"}
VIRTUAL_OF = {QtWidgets.QProgressBar: {"text"}}


class PropertiesAsAttributes:
    """What PythonQt does: `button.text` is the text, and `button.text = "Go"` sets it."""

    def __getattribute__(self, name: str):
        if name == "name":
            return QtCore.QObject.objectName(self)
        if name.startswith("_") or name in VIRTUAL or _is_virtual(self, name):
            return super().__getattribute__(name)
        if QtCore.QObject.metaObject(self).indexOfProperty(name) >= 0:
            return QtCore.QObject.property(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value) -> None:
        if QtCore.QObject.metaObject(self).indexOfProperty(name) < 0:
            super().__setattr__(name, value)
        elif not QtCore.QObject.setProperty(self, name, value):
            message = f"{type(self).__name__}.{name} cannot be set to {value!r}"
            raise TypeError(message)

    def className(self) -> str:
        return QtCore.QObject.metaObject(self).className()


def _is_virtual(widget, name: str) -> bool:
    return any(name in names for cls, names in VIRTUAL_OF.items() if isinstance(widget, cls))


SHIMMED = [
    "QWidget",
    "QLabel",
    "QPushButton",
    "QCheckBox",
    "QComboBox",
    "QSpinBox",
    "QDoubleSpinBox",
    "QLineEdit",
    "QTableWidget",
    "QProgressBar",
    "QFrame",
    "QToolButton",
    "QSlider",
    "QVBoxLayout",
    "QHBoxLayout",
    "QFormLayout",
    "QGridLayout",
    "QTimer",
    "QShortcut",
    "QMainWindow",
]


def shimmed(cls: type) -> type:
    return type(cls.__name__, (PropertiesAsAttributes, cls), {})


@cache
def qt_names() -> dict[str, object]:
    """All names of Qt, as PythonQt puts them into one module."""
    # Names are asked for one by one, because PySide6 loads them only then.
    names = {
        name: getattr(module, name)
        for module in (QtCore, QtGui, QtWidgets)
        for name in dir(module)
        if name.startswith("Q") or name == "Qt"
    }
    return {**names, **{name: shimmed(names[name]) for name in SHIMMED}}


def make_qt(custom_widgets: dict[str, type]) -> ModuleType:
    """The module `qt`.

    Args:
        custom_widgets: what the .ui loader makes for class names that are not Qt's.
    """
    qt = ModuleType("qt")
    vars(qt).update(qt_names())

    class QUiLoader(StrictUiLoader):
        def __init__(self) -> None:
            super().__init__(lambda text: ui_in_python(text, custom_widgets))

        def createWidget(self, class_name: str, parent=None, name: str = ""):
            cls = custom_widgets.get(class_name) or getattr(qt, class_name)
            widget = cls(parent)
            widget.setObjectName(name)
            return widget

    qt.QUiLoader = QUiLoader
    return qt
