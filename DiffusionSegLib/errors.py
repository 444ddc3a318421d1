"""The one exception family: problems that the person at the screen can act on."""

from __future__ import annotations


class DiffusionSegError(Exception):
    """A problem told in one sentence, with a hint at the way out.

    Args:
        message: one sentence that a clinician understands.
        hint: what to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class DiffusionSegWarning(UserWarning):
    """Something that the person at the screen should know although the work goes on; told in one sentence."""
