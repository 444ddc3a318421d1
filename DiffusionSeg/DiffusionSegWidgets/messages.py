"""The line of the panel that tells in one sentence what happened."""

from __future__ import annotations

import logging
from contextlib import contextmanager

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.in_sight import bring_into_sight

ERROR_STYLE = "color: #b00020;"
STATUS_MILLISECONDS = 10_000


class ActionableError(Exception):
    """A problem told in one sentence, with a hint at the way out; the backend's errors have the same shape.

    Args:
        message: one sentence.
        hint: what to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def sentence(error: Exception, doing: str) -> str:
    """An error in words for the person at the screen.

    Args:
        error: what was raised; errors with `message` and `hint` speak for themselves.
        doing: what was being done, such as "Training".
    """
    if hasattr(error, "message"):
        return f"{error.message} {getattr(error, 'hint', '')}".strip()
    return _("{doing} failed unexpectedly; View / Error log tells more.").format(doing=doing)


class MessageLine:
    """Shows errors and news in a label, and for a while in Slicer's status bar; no popups.

    Args:
        label: a QLabel that keeps its place while there are none: what was clicked must not move under the pointer.
    """

    def __init__(self, label) -> None:
        self._label = label
        self._asked = True
        self.clear()

    @property
    def asked(self) -> bool:
        """Whether what goes on now was begun by a click; else no error moves the panel from under the pointer."""
        return self._asked

    def clear(self) -> None:
        """Nothing to tell."""
        self._label.text = ""

    def inform(self, text: str) -> None:
        """Tell good news or a warning."""
        self._show(text, "")

    def complain(self, error: Exception, doing: str) -> None:
        """Tell what went wrong; errors nobody foresaw also go to the log with their traceback."""
        if not hasattr(error, "message"):
            logging.error("%s failed", doing, exc_info=error)
        self._show(sentence(error, doing), ERROR_STYLE)
        if self._asked:
            bring_into_sight(self._label)

    @contextmanager
    def begun(self, *, asked: bool):
        """What is done inside belongs to what a click has begun, or what began by itself."""
        before, self._asked = self._asked, asked
        try:
            yield
        finally:
            self._asked = before

    @contextmanager
    def guarded(self, doing: str):
        """Whatever is raised inside is told instead, so that the next click works."""
        self.clear()
        with self.quietly_guarded(doing):
            yield

    @contextmanager
    def quietly_guarded(self, doing: str):
        """Like `guarded`, but what was told before stays: for work that no click has asked for."""
        try:
            yield
        except Exception as error:  # the last line before Slicer: anything may come
            self.complain(error, doing)

    def _show(self, text: str, style: str) -> None:
        self._label.styleSheet = style
        self._label.text = text
        slicer.util.showStatusMessage(f"DiffusionSeg: {text}", STATUS_MILLISECONDS)
