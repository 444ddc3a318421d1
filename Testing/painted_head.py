"""A head with painted slices, as the worker's methods want them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from conftest import a_head

from DiffusionSegLib.benchmark.painting import background_box, central_slices, painted_only
from DiffusionSegLib.client import WorkerClient

SHAPE = (40, 36, 32)
HERE = Path(__file__).parent
LABELS = [{"value": 3, "name": "front", "color": [200, 80, 40]}, {"value": 7, "name": "back", "color": [40, 80, 200]}]


def an_odd_worker(*fault: object) -> list[str]:
    """The command that starts a worker with a fault of `odd_worker.py`."""
    return [sys.executable, str(HERE / "odd_worker.py"), *map(str, fault)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"}


def a_client(*fault: object, **options: float) -> WorkerClient:
    return WorkerClient(an_odd_worker(*fault), environment(), **options)


def open_parameters(bundle, session_folder=None, /, **changes) -> dict:
    given = {"bundle": str(bundle.folder), "device": "cpu", "affine": np.eye(4).tolist(), "stem": "head"}
    return {**given, "session_folder": None if session_folder is None else str(session_folder), **changes}


def volume() -> dict[str, np.ndarray]:
    return {"volume": a_head(SHAPE)[0][None]}


def painting(per_axis: int = 3) -> tuple[dict, dict[str, np.ndarray]]:
    """Parameters and arrays of `annotate`."""
    reference = a_head(SHAPE)[1]
    slices = central_slices(reference, per_axis=per_axis, stride=4)
    box = [list(edges) for edges in background_box(reference)]
    parameters = {
        "complete_slices": [list(indices) for indices in slices],
        "background_box": box,
        "labels": LABELS,
    }
    return parameters, {"painted": painted_only(reference, slices).astype(np.uint16)}


def dice(found: np.ndarray, value: int) -> float:
    """Against the reference of the head."""
    first, second = found == value, a_head(SHAPE)[1] == value
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))
