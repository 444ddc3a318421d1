"""The worker's client: started when it is first needed, with the user's settings, and ended with the module."""

from __future__ import annotations

import shutil
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.backend import worker_command, worker_environment
from DiffusionSegWidgets.machine_settings import KEPT_GIGABYTES, KEPT_WORK, WORKER_COMMAND, setting
from DiffusionSegWidgets.messages import ActionableError

# Only a folder of this name is ever deleted, whatever folder the user chose to hold it.
WORK_FOLDER = "DiffusionSegWork"
DEFAULT_GIGABYTES = 20


class WorkerLink:
    """Holds the one client that the engine and the panel share."""

    def __init__(self) -> None:
        self._client = None
        # The worker's command that the client was started with.
        self._command = ""
        self.greeted = False

    @property
    def runs_elsewhere(self) -> bool:
        """Whether the worker is the user's own program, whose packages are none of our business."""
        return bool(setting(WORKER_COMMAND).strip())

    @property
    def work_folder(self) -> Path:
        """Where computed work is kept, on the worker's computer."""
        return Path(setting(KEPT_WORK).strip() or slicer.app.cachePath) / WORK_FOLDER

    @property
    def work_gigabytes(self) -> int:
        """How large that may grow, in GB."""
        text = setting(KEPT_GIGABYTES)
        return int(text) if text.isdecimal() else DEFAULT_GIGABYTES

    @property
    def work_bytes(self) -> int:
        """The same in bytes."""
        return self.work_gigabytes * 10**9

    def living_client(self):
        """The client of a living worker; one that died is started again, by the command as it is now.

        Raises:
            ActionableError: if the command cannot be read.
        """
        custom = setting(WORKER_COMMAND)
        if self._client is not None and not self._client.alive and custom != self._command:
            self.close_worker()
        if self._client is None:
            from DiffusionSegLib.client import WorkerClient

            self._client = WorkerClient(command=_command_from(custom), environment=worker_environment(custom))
            self._command, self.greeted = custom, False
        elif not self._client.alive:
            self._client.restart()
        return self._client

    def poll(self) -> list[dict]:
        """What the worker has told since the last time: {"method", "params"} each."""
        return [] if self._client is None else self._client.poll()

    def cancel(self) -> None:
        """Stop the running call."""
        if self._client is not None:
            self._client.cancel()

    def close_worker(self) -> None:
        """End the worker; the next call starts it anew."""
        client, self._client = self._client, None
        self.greeted = False
        if client is not None:
            client.close()

    def delete_kept_work(self) -> int:
        """Delete the work that is kept on this computer's disk.

        Returns:
            how many bytes that were.

        Raises:
            ActionableError: if a file cannot be deleted.
        """
        folder = self.work_folder
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.close_worker()
        try:
            if folder.is_dir():
                shutil.rmtree(folder)
        except OSError as error:
            message = _("Some of the kept work could not be deleted.")
            raise ActionableError(message, _("Close programs that use {name}.").format(name=error.filename)) from error
        return size


def _command_from(custom: str) -> list[str]:
    try:
        return worker_command(custom)
    except ValueError as error:
        message = _("The worker command cannot be read: {command}").format(command=custom.strip())
        hint = _("Under Advanced give each quotation mark its partner, and no backslash at the end.")
        raise ActionableError(f"{message}.", hint) from error
