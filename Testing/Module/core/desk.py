"""A scan on a user's desk, and each stage of the work on it, to be disturbed by tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from conftest import a_head, an_affine
from DiffusionSegCore import DiffusionSegEngine
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, masks_by_name, paint_slices

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.client import WorkerClient

IMAGE, LABELS = a_head((20, 18, 16))
AFFINE = an_affine(np.eye(3), (1.0, 1.0, 1.0))
SLICES = [(0, 9), (1, 8), (2, 7)]
# A worker that knows a scan by its content has its features: each desk gets another scan.
BRIGHTNESS = itertools.count()


class Desk:
    """A painted scan, another scan, and the engine that works on them.

    Args:
        scene: an empty scene.
        client: of the worker.
        bundle: the model.
        folder: where the worker keeps its work, and the user a segmenter.
    """

    def __init__(self, scene, client: WorkerClient, bundle: ModelBundle, folder: Path) -> None:
        self.scene, self.path = scene, str(folder / "mine.safetensors")
        self.engine = DiffusionSegEngine(scene, lambda: client, str(folder))
        self._bundle = str(bundle.folder)
        self.lay_out()

    def lay_out(self) -> None:
        """Load and paint another scan."""
        self.engine.settings.bundle, self.engine.settings.device = self._bundle, "cpu"
        image = IMAGE + np.float32(next(BRIGHTNESS)) * (IMAGE > 0)
        self.volume = a_volume_node(self.scene, image, AFFINE)
        self.other = a_volume_node(self.scene, image[::-1], AFFINE, "other")
        self.engine.set_input([self.volume])
        self.engine.propose_slices(stride=3)
        paint_slices(self.engine, LABELS, NAMES)
        self.engine.fit_background_region(2.0)

    def contents(self) -> tuple:
        """What is painted and what was found, and which slices are complete."""
        segmentations = [node for node in (self.engine.seeds, self.engine.preview) if node is not None]
        masks = [masks_by_name(node, self.volume) for node in segmentations]
        as_bytes = [{name: mask.tobytes() for name, mask in found.items()} for found in masks]
        return as_bytes, self.engine.annotation_slices()


@dataclass(frozen=True)
class Stage:
    """A stage of the work.

    Args:
        begin: does what leads to it, and returns the work in progress.
        finish: takes up what that found.
        method: what the worker is asked for.
        held_at: the method, or the stage in it that lasts, in which it can be disturbed.
        after_training: whether a segmenter is needed.
        after_saving: whether its file is needed.
    """

    begin: Callable[[Desk], Any]
    finish: Callable[[Desk, Any], Any]
    method: str
    held_at: str
    after_training: bool = True
    after_saving: bool = False

    def prepare(self, desk: Desk) -> None:
        """Bring a desk to where the stage can be begun."""
        if self.after_training:
            desk.engine.finish_training(desk.engine.start_training())
        if self.after_saving:
            desk.engine.save_segmenter(desk.path)

    def complete(self, desk: Desk) -> None:
        """Begin and finish it."""
        self.finish(desk, self.begin(desk))


def begin_training(desk: Desk) -> Any:
    return desk.engine.start_training()


def finish_training(desk: Desk, work: Any) -> None:
    assert desk.engine.finish_training(work)["voxels"] > 0


def training(method: str, held_at: str) -> Stage:
    return Stage(begin_training, finish_training, method, held_at, after_training=False)


STAGES = {
    "open": training("open", "open"),
    "annotate": training("annotate", "annotate"),
    "extract": Stage(
        lambda desk: desk.engine.start_extraction(),
        lambda desk, work: desk.engine.finish_extraction(work),
        "extract",
        "features",
        after_training=False,
    ),
    "train": training("train", "training"),
    "keep": training("save_segmenter", "save_segmenter"),
    "preview": Stage(
        lambda desk: desk.engine.start_preview(SLICES),
        lambda desk, work: desk.engine.finish_preview(work),
        "preview",
        "preview",
    ),
    "predict": Stage(
        lambda desk: desk.engine.start_prediction(),
        lambda desk, work: desk.engine.finish_prediction(work),
        "predict",
        "prediction",
    ),
    "suggest": Stage(
        lambda desk: desk.engine.start_suggesting(),
        lambda desk, work: desk.engine.finish_suggesting(work),
        "suggest",
        "prediction",
    ),
    "apply": Stage(
        lambda desk: desk.engine.start_applying(desk.other),
        lambda desk, work: desk.engine.finish_applying(work),
        "predict",
        "prediction",
    ),
    "save": Stage(
        lambda desk: desk.engine.start_saving(desk.path),
        lambda _, work: work.result(),
        "save_segmenter",
        "save_segmenter",
    ),
    "load": Stage(
        lambda desk: desk.engine.start_loading(desk.path),
        lambda desk, work: desk.engine.finish_loading(work),
        "load_segmenter",
        "load_segmenter",
        after_saving=True,
    ),
}
