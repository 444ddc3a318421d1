"""How long a user waits: from Train to the slices in view and to the whole volume, through a real worker."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import CompleteSlices
from DiffusionSegLib.benchmark.oasis import TRAIN, OasisFolder
from DiffusionSegLib.benchmark.painting import background_box, nine_slices, painted_only
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
    with tempfile.TemporaryDirectory() as folder:
        opening = {"bundle": arguments.bundle or DEFAULT_BUNDLE, "device": arguments.device, "session_folder": folder}
        with WorkerClient(WORKER) as client:
            seconds = prepare(client, volume, opening)
            steps = ", ".join(f"{step} {taken:.1f} s" for step, taken in seconds.items())
            print(f"{os.cpu_count()} cores; before the first Train: {steps}\n\n{HEADER}", flush=True)  # noqa: T201
            for warm in rounds(client, reference, data.structures()):
                print(warm.markdown(), flush=True)  # noqa: T201
        with WorkerClient(WORKER) as client:
            prepare(client, volume, opening)
            cold = from_scratch(client, reference, data.structures())
    print(f"{cold.markdown()}\n\n{gain(cold, warm)}")  # noqa: T201
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


def gain(cold: Round, warm: Round) -> str:
    """What going on from nine slices saves over learning ten from scratch."""
    preview = cold.to_preview / warm.to_preview
    whole = (cold.to_preview + cold.to_volume) / (warm.to_preview + warm.to_volume)
    return (
        f"After a tenth slice the preview comes {preview:.1f} times sooner than from scratch, the volume {whole:.1f}."
    )


def rounds(client: WorkerClient, reference: np.ndarray, labels: Sequence[Label]) -> Iterator[Round]:
    """Nine slices learnt from scratch, then a tenth learnt from there, all with features that are at hand.

    Args:
        client: of a worker whose scan is open.
        reference: what is painted from, label values (I, J, K).
        labels: the structures.
    """
    nine, ten, between = _paintings(reference, labels)
    yield _round(client, "nine slices, from scratch", nine, between, warm=False)
    yield _round(client, "a tenth, from there", ten, between, warm=True)


def from_scratch(client: WorkerClient, reference: np.ndarray, labels: Sequence[Label]) -> Round:
    """All ten slices learnt by a worker that has learnt nothing before, but whose features are at hand."""
    _, ten, between = _paintings(reference, labels)
    return _round(client, "all ten, from scratch", ten, between, warm=False)


def _paintings(reference: np.ndarray, labels: Sequence[Label]) -> tuple[Painting, Painting, list[int]]:
    """Nine painted slices, these and a tenth, and the slices that are looked at."""
    nine = nine_slices(reference)
    # Between painted slices: where the user looks for mistakes.
    between = [sum(indices[:2]) // 2 for indices in nine]

    def painting(slices: CompleteSlices) -> Painting:
        said = {
            "complete_slices": slices,
            "background_box": background_box(reference),
            "labels": [to_json(label) for label in labels],
        }
        return said, {"painted": painted_only(reference, slices).astype(np.uint16)}

    return painting(nine), painting((*nine[:2], (*nine[2], between[2]))), between


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
