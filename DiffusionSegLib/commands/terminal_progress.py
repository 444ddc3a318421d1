"""A progress bar in the terminal."""

from __future__ import annotations

import sys

from tqdm import tqdm

# Redirected output gets a line now and then instead of a bar.
LOG_INTERVAL_SECONDS = 30.0


class TerminalProgress:
    """Shows each stage as a bar with the time left, on standard error; to be used as a `Progress`."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        # What follows a comma (a loss, say) changes within a stage.
        name = stage.split(",", maxsplit=1)[0]
        if self._bar is None or name != self._stage or done < self._bar.n:
            self.close()
            interval = 0.1 if sys.stderr.isatty() else LOG_INTERVAL_SECONDS
            self._bar = tqdm(total=total, mininterval=interval, file=sys.stderr, unit="")
            self._stage = name
        self._bar.set_description(stage, refresh=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def close(self) -> None:
        """End the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
