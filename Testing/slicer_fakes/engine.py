"""A fake of the engine and of the worker's client: instant answers, and faults on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
from DiffusionSegCore.scene_state import SceneState
from DiffusionSegCore.settings import Settings

HELLO = {
    "version": "0.1.0",
    "protocol": 1,
    "device": "cpu",
    "why_no_gpu": "this build of torch has no CUDA",
    "bundles": [
        {
            "name": "brain-t1",
            "description": "One denoiser for the three views of skull-stripped T1-weighted brain MR at 1 mm, small "
            "enough for a CPU.",
            "licence": "CC BY-NC 4.0 (images: OASIS project)",
            "card": "Trained on OASIS.",
            "channels": 1,
        },
        {"name": "tiny", "description": "A small one.", "licence": "CC0", "card": "Random weights.", "channels": 1},
    ],
}
ANSWERS = {
    "hello": HELLO,
    "estimate": {
        "seconds": 95.0,
        "bytes": 3 * 2**30,
        "gpu_bytes": 2 * 2**30,
        "available_bytes": 12 * 2**30,
        "available_gpu_bytes": None,
    },
    "describe": {"name": "knees", "description": "Knees.", "licence": "MIT", "card": "Of knees.", "channels": 1},
    "forget": {"bytes": 7 * 2**20},
    "suggest": {"slices": [{"axis": 2, "index": 11, "score": 0.42}, {"axis": 0, "index": 7, "score": 0.31}]},
}


class FakeError(Exception):
    """Has the shape of the backend's errors."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class FakeCall:
    """A running call; it ends when `end` is called, at once unless the client holds its calls back."""

    def __init__(self, method: str) -> None:
        self.method, self.done, self._error = method, False, None

    def end(self, error: Exception | None = None) -> None:
        self.done, self._error = True, error

    def result(self, _timeout: float | None = None) -> tuple[dict, dict]:
        assert self.done, "the panel must not wait"
        if self._error is not None:
            raise self._error
        return ANSWERS.get(self.method, {}), {}


class FakeClient:
    """The worker's client."""

    def __init__(self) -> None:
        self.alive, self.held_back, self.notifications = True, False, []
        self.faults: dict[str, Exception] = {}
        self.asked: list[tuple[str, dict]] = []
        self.running: FakeCall | None = None

    def start(self, method: str, params: dict, _arrays: dict | None = None) -> FakeCall:
        self.asked.append((method, params))
        self.running = FakeCall(method)
        if not self.held_back:
            self.running.end(self.faults.pop(method, None))
        return self.running

    def tell(self, method: str, about: str = "", **params) -> None:
        """Send a notification, as the worker does while it works."""
        self.notifications.append({"method": method, "params": params} | ({"about": about} if about else {}))

    def poll(self) -> list[dict]:
        told, self.notifications = self.notifications, []
        return told

    def cancel(self) -> None:
        self.running.end(FakeError("Stopped."))

    def restart(self) -> None:
        self.alive = True

    def close(self) -> None:
        self.alive = False


@dataclass(frozen=True)
class FakeSlice:
    axis: int
    index: int
    state: str = "to paint"


class FakeEngine:
    """The engine's interface over real nodes; `faults` are raised by the method of that name, once."""

    def __init__(self, scene, client_factory, session_folder: str, session_bytes: int) -> None:
        self.scene, self._client_factory = scene, client_factory
        self.session_folder, self.session_bytes = session_folder, session_bytes
        self.settings = Settings(SceneState(scene))
        self.seeds = self.preview = self.roi = self.uncertainty_volume = self.result = self.volume = None
        self.can_apply = self.can_undo = self.left = False
        # Of the volume that the views show instead of the chosen one.
        self.uncertainty_instead, self.doubts_instead = None, []
        self._doubts: list[str] = []
        self.warnings: list[str] = []
        self.nothing_painted = False
        self.edits_replaced: tuple[str, ...] = ()
        self.voxels_taken: tuple[str, ...] = ()
        self.did: list[tuple] = []
        self.faults: dict[str, Exception] = {}
        # The slice that the views show, by axis.
        self.shown = {0: 3, 1: 4, 2: 5}
        self._slices: dict[tuple[int, int], str] = {}
        self._suggested: dict = {}

    def _do(self, name: str, *arguments) -> None:
        if name in self.faults:
            raise self.faults.pop(name)
        self.did.append((name, *arguments))

    def _start(self, name: str, method: str, *arguments) -> FakeCall:
        self._do(name, *arguments)
        return self._client_factory().start(method, {})

    def _finish(self, name: str, call: FakeCall) -> None:
        call.result()
        self._do(name)

    @property
    def uncertainty_in_view(self):
        return self.uncertainty_instead if self.left else self.uncertainty_volume

    @property
    def doubts(self) -> list[str]:
        return [*self._doubts, *(self.doubts_instead if self.left else [])]

    @doubts.setter
    def doubts(self, told: list[str]) -> None:
        self._doubts = told

    def cancel(self) -> None:
        self.did.append(("cancel",))

    def renew_worker(self, session_folder: str, session_bytes: int) -> None:
        self.session_folder, self.session_bytes = session_folder, session_bytes

    def limit_kept_work(self, session_bytes: int) -> None:
        self.session_bytes = session_bytes

    def set_input(self, volumes, segmentation=None) -> list[str]:
        self._do("set_input", [node.GetName() for node in volumes], segmentation and segmentation.GetName())
        self.seeds = segmentation or self._segmentation("seeds")
        if volumes[0] is not self.volume:
            self.result = None
        self.volume = volumes[0]
        return ["T2 lies on other voxels and is resampled."] if len(volumes) > 1 else []

    def remove_untouched_seeds(self, *, also_own: bool = False) -> None:
        """The fake's seeds have segments."""

    def leave_views(self, shown) -> None:
        self._do("leave_views", shown.GetName())
        self.left = True

    def return_to_views(self) -> bool:
        left, self.left = self.left, False
        return left

    def put_away(self) -> None:
        self._do("put_away")

    def bring_back(self) -> None:
        self._do("bring_back")

    def propose_slices(self, per_axis: int, stride: float, around=None, *, whole_volume=False) -> list[FakeSlice]:
        self._do("propose_slices", per_axis, stride, around, whole_volume)
        middle = [size // 2 for size in self.volume.GetImageData().GetDimensions()]
        for axis in range(3):
            for step in range(per_axis):
                self._slices.setdefault((axis, middle[axis] + int(stride) * (step - per_axis // 2)), "to paint")
        return self.annotation_slices()

    def annotation_slices(self) -> list[FakeSlice]:
        if "annotation_slices" in self.faults:
            raise self.faults.pop("annotation_slices")
        return [FakeSlice(*place, state) for place, state in sorted(self._slices.items())]

    def painted(self) -> np.ndarray:
        return np.full((1, 1, 1), 0 if self.nothing_painted else 1, np.uint16)

    def paint(self, axis: int, index: int) -> None:
        """As if the user had painted: the seeds report it."""
        self._slices[axis, index] = "painted"
        self.seeds.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)

    def unpaint(self, axis: int, index: int) -> None:
        """As if what is painted there had been deleted, of which the test itself tells."""
        self._slices[axis, index] = "to paint"

    def mark_complete(self, axis: int, index: int, *, complete: bool = True) -> None:
        self._do("mark_complete", axis, index, complete)
        self._slices[axis, index] = "complete" if complete else "painted"

    def add_slice(self, axis: int, index: int) -> None:
        self._do("add_slice", axis, index)
        self._slices.setdefault((axis, index), "to paint")

    def remove_slice(self, axis: int, index: int) -> None:
        self._do("remove_slice", axis, index)
        self._slices.pop((axis, index))

    def show_slice(self, axis: int, index: int) -> None:
        self._do("show_slice", axis, index)
        if axis in self.shown:
            self.shown[axis] = index

    def shown_slices(self) -> list[tuple[int, int]]:
        return list(self.shown.items())

    def fit_background_region(self, margin: float) -> None:
        self._do("fit_background_region", margin)
        if self.roi is None:
            self.roi = self.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Background region")
            self.roi.CreateDefaultDisplayNodes()

    def remove_background_region(self) -> None:
        self._do("remove_background_region")
        self.scene.RemoveNode(self.roi)
        self.roi = None

    def start_extraction(self) -> FakeCall:
        return self._start("start_extraction", "extract")

    def finish_extraction(self, call: FakeCall) -> None:
        self._finish("finish_extraction", call)

    def start_training(self, warm: bool = False, *, all_paintings: bool = False) -> FakeCall:
        self.all_paintings = all_paintings
        return self._start("start_training", "train", warm)

    def finish_training(self, call: FakeCall) -> dict:
        self._finish("finish_training", call)
        self.can_apply = False
        return {"voxels": 1, "seconds": 0.1, "warnings": self.warnings}

    def start_preview(self, slices) -> FakeCall:
        return self._start("start_preview", "preview", slices)

    def finish_preview(self, call: FakeCall) -> None:
        self._finish("finish_preview", call)
        self.preview = self.preview or self._segmentation("preview")

    def start_prediction(self) -> FakeCall:
        return self._start("start_prediction", "predict")

    def finish_prediction(self, call: FakeCall) -> None:
        self._finish("finish_prediction", call)
        self.can_apply = True
        self.preview = self.preview or self._segmentation("preview")
        self.uncertainty_volume = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Uncertainty")

    def shows_uncertainty(self, node) -> bool:
        return node is self.uncertainty_volume

    def show_preview(self, shown: bool) -> None:
        self._do("show_preview", shown)
        self.preview.SetDisplayVisibility(shown)

    def set_result(self, segmentation) -> None:
        self._do("set_result", segmentation.GetName())
        self.result = segmentation

    def forget_result(self) -> None:
        self._do("forget_result")
        self.result = None

    def apply_preview(self, overwrite: str):
        self._do("apply_preview", overwrite)
        self.result = self.result or self._segmentation("segmentation")
        self.can_undo = True
        self.preview.SetDisplayVisibility(False)
        return self.result

    def undo_apply(self) -> list[str]:
        self._do("undo_apply")
        self.can_undo = False
        self.preview.SetDisplayVisibility(True)
        return ["Edited since Apply and left as it is: Putamen."]

    def show_uncertainty(self, opacity: float) -> None:
        self._do("show_uncertainty", opacity)

    def start_hello(self) -> FakeCall:
        return self._client_factory().start("hello", {})

    def start_describing(self, folder: str) -> FakeCall:
        return self._client_factory().start("describe", {"path": folder})

    def start_estimate(self) -> FakeCall:
        return self._client_factory().start("estimate", {})

    def start_forgetting(self) -> FakeCall:
        return self._client_factory().start("forget", {"path": self.session_folder})

    def start_suggesting(self) -> FakeCall:
        return self._client_factory().start("suggest", {})

    def finish_suggesting(self, call: FakeCall) -> list[tuple[FakeSlice, float]]:
        found = call.result()[0]["slices"]
        self._suggested[self.volume] = [(FakeSlice(said["axis"], said["index"]), said["score"]) for said in found]
        return self.suggestions

    @property
    def suggestions(self) -> list[tuple[FakeSlice, float]]:
        return self._suggested.get(self.volume, [])

    def start_saving(self, path: str) -> FakeCall:
        return self._start("start_saving", "save_segmenter", path)

    def start_loading(self, path: str) -> FakeCall:
        return self._start("start_loading", "load_segmenter", path)

    def finish_loading(self, call: FakeCall) -> None:
        self._finish("finish_loading", call)
        self.settings.bundle, self.settings.keep_largest = "tiny", True

    def start_applying(self, volume) -> FakeCall:
        return self._start("start_applying", "predict", volume.GetName())

    def finish_applying(self, call: FakeCall) -> None:
        self._finish("finish_applying", call)

    def _segmentation(self, name: str):
        node = self.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"T1 {name}")
        node.CreateDefaultDisplayNodes()
        for number, (label, color) in enumerate((("Putamen", (0.36, 0.66, 0.94)), ("Caudate", (0.93, 0.55, 0.3)))):
            segment = slicer.vtkSegment()
            segment.SetName(label)
            segment.SetColor(*color)
            node.GetSegmentation().AddSegment(segment, f"Segment_{number + 1}")
        return node
