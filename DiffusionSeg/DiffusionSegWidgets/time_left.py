"""How long work will still take, from how fast it went so far."""

from __future__ import annotations

import time

from slicer.i18n import tr as _


class TimeLeft:
    """Watches the progress of one stage after the other.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock=time.monotonic) -> None:
        self._clock = clock
        self._stage: str | None = None
        self._start = (0.0, 0.0)

    def seconds(self, stage: str, done: float, total: float) -> float | None:
        """Seconds until the stage is done, or None as long as that is a guess.

        Args:
            stage: its name; a new name starts anew.
            done: how far it is.
            total: when it is done, in the same unit.
        """
        now = self._clock()
        if stage != self._stage or done < self._start[1]:
            self._stage, self._start = stage, (now, done)
        elapsed, advanced = now - self._start[0], done - self._start[1]
        if elapsed < 1.0 or advanced <= 0:
            return None
        return elapsed * (total - done) / advanced


def in_words(seconds: float) -> str:
    """A duration as a person would say it."""
    if seconds < 60:
        return _("{count} s").format(count=max(round(seconds), 1))
    if seconds < 5400:
        return _("{count} min").format(count=round(seconds / 60))
    return _("{count:.1f} h").format(count=seconds / 3600)
