"""What can go wrong between client and worker."""

from __future__ import annotations

from DiffusionSegLib.errors import DiffusionSegError


class WorkerError(DiffusionSegError):
    """A call that the worker could not do, or that was stopped."""


class WorkerDied(WorkerError):  # noqa: N818 - what happened to it, not what it did wrong
    """The worker is gone, and with it all calls; `WorkerClient.restart` starts another one."""
