"""The client's end of the pipe to the worker; loads neither torch nor anything else beyond numpy."""

from __future__ import annotations

from DiffusionSegLib.client.call import Call
from DiffusionSegLib.client.errors import WorkerDied, WorkerError
from DiffusionSegLib.client.worker_client import WorkerClient

__all__ = ["Call", "WorkerClient", "WorkerDied", "WorkerError"]
