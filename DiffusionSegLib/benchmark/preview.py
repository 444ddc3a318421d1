"""How long a user waits: from Train to the slices in view and to the whole volume, through a real worker."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import CompleteSlices
from DiffusionSegLib.benchmark.oasis import TRAIN, OasisFolder
from DiffusionSegLib.benchmark.painting import bounding_box, central_slices, painted_only
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE
from DiffusionSegLib.client import WorkerClient
from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.labels import Label
from DiffusionSegLib.volume import Volume

Painting = tuple[dict[str, Any], dict[str, np.ndarray]]
WORKER = (sys.executable, "-m", "DiffusionSegLib", "worker")


@dataclass
class Round:
    """One click on Train, as the module does it: train, keep the segmenter, preview, and then the whole volume.

    Args:
        name: what is learnt from, and how.
        to_preview: seconds until the slices in view are there.
        to_volume: seconds from there to the whole volume.
        stages: seconds of what the worker did on the way to the preview.
    """

    name: str
    to_preview: float = 0.0
    to_volume: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)

    def markdown(self) -> str:
        """A row of the table."""
        shares = sorted(self.stages.items(), key=lambda stage: -stage[1])
        longest = ", ".join(f"{stage} {100 * seconds / self.to_preview:.0f} %" for stage, seconds in shares[:3])
        return f"| {self.name} | {self.to_preview:.1f} | {longest} | {self.to_volume:.1f} |"


HEADER = "| training | Train to preview, s | of which | then the whole volume, s |\n|---|---|---|---|"


def run(arguments: argparse.Namespace) -> int:
    """Print how long the training person's scan takes."""
    data = OasisFolder(arguments.data)
    (person,) = data.people(TRAIN)
    volume, reference = data.read(person)
    with WorkerClient(WORKER) as client, tempfile.TemporaryDirectory() as folder:
        opening = {"bundle": arguments.bundle or DEFAULT_BUNDLE, "device": arguments.device, "session_folder": folder}
        seconds = prepare(client, volume, opening)
        steps = ", ".join(f"{step} {taken:.1f} s" for step, taken in seconds.items())
        print(f"{os.cpu_count()} cores; before the first Train: {steps}\n\n{HEADER}", flush=True)  # noqa: T201
        for found in rounds(client, reference, data.structures()):
            print(found.markdown(), flush=True)  # noqa: T201
    return 0


def prepare(client: WorkerClient, volume: Volume, opening: Mapping[str, Any]) -> dict[str, float]:
    """Start the worker, open the scan and compute its features; the seconds that each takes.

    Args:
        client: of a worker that was just started.
        volume: the scan.
        opening: bundle, device and session_folder of the call `open`.
    """
    where = {"affine": volume.grid.affine.tolist(), "stem": "scan"}
    return {
        "start": _asked(client, "hello", {}),
        "open": _asked(client, "open", {**opening, **where}, {"volume": volume.data}),
        "features": _asked(client, "extract", {}),
    }


def rounds(client: WorkerClient, reference: np.ndarray, labels: Sequence[Label]) -> list[Round]:
    """Nine slices learnt from scratch, then a tenth learnt from there, all with features that are at hand.

    Args:
        client: of a worker whose scan is open.
        reference: what is painted from, label values (I, J, K).
        labels: the structures.
    """
    nine = central_slices(reference, per_axis=3, stride=10)
    # Between painted slices: where the user looks for mistakes.
    between = [sum(indices[:2]) // 2 for indices in nine]
    ten = (*nine[:2], (*nine[2], between[2]))

    def painting(slices: CompleteSlices) -> Painting:
        said = {
            "complete_slices": slices,
            "background_box": bounding_box(reference),
            "labels": [to_json(label) for label in labels],
        }
        return said, {"painted": painted_only(reference, slices).astype(np.uint16)}

    return [
        _round(client, "nine slices, from scratch", painting(nine), between, warm=False),
        _round(client, "a tenth, from there", painting(ten), between, warm=True),
    ]


def _round(client: WorkerClient, name: str, painting: Painting, looked_at: Sequence[int], *, warm: bool) -> Round:
    found = Round(name)
    for method, params, arrays in (
        ("annotate", *painting),
        ("train", {"warm": warm}, {}),
        ("save_segmenter", {}, {}),
        ("preview", {"slices": list(enumerate(looked_at))}, {}),
    ):
        found.to_preview += _asked(client, method, params, arrays, found.stages)
    found.to_volume = _asked(client, "predict", {})
    return found


def _asked(
    client: WorkerClient,
    method: str,
    params: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray] | None = None,
    stages: dict[str, float] | None = None,
) -> float:
    """Seconds that a call takes; those of each stage that it reports are added to `stages`."""
    start = time.perf_counter()
    # What comes before the first report goes by the method's name.
    marks = [(method, start)]
    client.call(method, params, arrays, on_progress=lambda stage, *_: marks.append((stage, time.perf_counter())))
    now = time.perf_counter()
    if stages is not None:
        for (stage, begun), (_, ended) in zip(marks, [*marks[1:], ("", now)], strict=True):
            stages[stage] = stages.get(stage, 0.0) + ended - begun
    return now - start
