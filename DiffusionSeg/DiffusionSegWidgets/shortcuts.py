"""Keyboard shortcuts, alive only while the module is open."""

from __future__ import annotations

import qt
import slicer

# Segment Editor has taken the plain letters, and the toolbar Markups Ctrl+Shift with A, T and the space bar.
NEXT_SLICE = "Ctrl+Shift+N"
COMPLETE = "Ctrl+Shift+C"
TRAIN = "Ctrl+Shift+L"


class Shortcuts:
    """Keys that do what buttons do.

    Args:
        actions: key sequence to what it does.
    """

    def __init__(self, actions: dict) -> None:
        self._actions = actions
        self._shortcuts: list = []

    def install(self) -> None:
        """Listen to the keys in all of the main window; harmless if they are installed already."""
        if self._shortcuts:
            return
        for keys, action in self._actions.items():
            shortcut = qt.QShortcut(slicer.util.mainWindow())
            shortcut.setKey(qt.QKeySequence(keys))
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)

    def remove(self) -> None:
        """Leave the keys to the next module."""
        for shortcut in self._shortcuts:
            # Deleting comes later; until then the key must not act any more.
            shortcut.enabled = False
            shortcut.deleteLater()
        self._shortcuts = []
