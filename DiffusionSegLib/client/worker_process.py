"""The worker as a child process, with all that it may have started itself."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

from DiffusionSegLib.client.errors import WorkerDied

LOG_LINES = 200
LONGEST_LINE = 4096
END_SECONDS = 5.0


class WorkerProcess:
    """A child process whose standard streams are pipes.

    Args:
        command: program and arguments.
        environment: its environment variables; None for those of this process.

    Raises:
        WorkerDied: if it cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user says what to run
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=None if environment is None else dict(environment),
                **_own_group(),
            )
        except (OSError, ValueError, IndexError) as error:
            message = f"The worker cannot be started: {command[0] if command else 'no command'} ({error})."
            raise WorkerDied(message, "Check the command in the advanced settings.") from error
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()

    @property
    def identifier(self) -> int:
        return self._process.pid

    @property
    def incoming(self) -> IO[bytes]:
        """What the worker writes."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def outgoing(self) -> IO[bytes]:
        """What the worker reads."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """The last lines that the worker and its libraries printed."""
        return "\n".join(self._log)

    def wait(self, seconds: float) -> bool:
        """Whether the process ends within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        if sys.platform == "win32":
            if self.running:
                command = ["taskkill", "/PID", str(self.identifier), "/T", "/F"]
                options = {"creationflags": subprocess.CREATE_NO_WINDOW}
                subprocess.run(command, capture_output=True, check=False, **options)  # noqa: S603
        else:
            # Also after the process itself has ended: what it started may still be there.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.identifier, signal.SIGKILL)
        self.wait(END_SECONDS)

    def ending(self) -> str:
        """How the process ended, for a message; waits for what it still had to say."""
        self.wait(END_SECONDS)
        self._log_reader.join(1.0)
        status = self._process.poll()
        if status is not None and status < 0:
            return f"signal {-status}"
        return f"exit status {status}"

    @property
    def killed(self) -> bool:
        """Whether something ended the process by force."""
        return self._process.poll() == -getattr(signal, "SIGKILL", 9)

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        rest = b""
        while more := self._process.stderr.read(4096):
            # Progress bars of libraries return the carriage and never begin a new line.
            *lines, rest = re.split(rb"[\r\n]", rest + more)
            rest = rest[-LONGEST_LINE:]
            self._log.extend(line.decode(errors="replace").rstrip() for line in lines if line.strip())
        if rest:
            self._log.append(rest.decode(errors="replace"))


def _own_group() -> dict[str, Any]:
    """Options that let the whole tree be ended together, and keep Ctrl-C and console windows away from it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
