# ruff: noqa: ARG002 (a fake takes what the real client takes)
"""A fake of the worker's client: the same methods, in this process, by a rule that needs no learning to speak of."""

from __future__ import annotations

import json

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError

BIN_WIDTH = 20.0


class FakeWorkerError(DiffusionSegError):
    """What the real client raises where the worker answers with an error."""


class FakeWorkerDiedError(FakeWorkerError):
    """What the real client raises where the worker ended."""


class FakeCall:
    """A call that is answered when it is asked for, or when the test lets it."""

    def __init__(self, client, method, params, arrays):
        self.client, self.method, self.params, self.arrays = client, method, params, arrays
        self.answer = None

    @property
    def done(self):
        return self.method not in self.client.slow

    def result(self, timeout=None):
        if self.method in self.client.slow and timeout is not None:
            raise TimeoutError
        if self.answer is None:
            self.answer = self.client.answered(self)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeWorkerClient:
    """Labels voxels by their intensity: each bin of intensities gets the class most often seen in it.

    `slow` names methods that are not done before somebody waits for them; `faults` maps methods to errors.
    """

    def __init__(self):
        self.alive = True
        self.calls, self.about, self.slow, self.faults = [], [], set(), {}
        self.starts = 1
        self.cancelled = False
        self.doubts = []
        self._blank()

    def _blank(self):
        self.volume = self.painted = self.known = self.classes = None
        self.labels, self.keep_largest, self.lessons = [], [], {}

    @property
    def process_id(self):
        return self.starts

    def start(self, method, params, arrays=None, on_progress=None, about=""):
        self.calls.append(method)
        self.about.append(about)
        if not self.alive:
            raise FakeWorkerDiedError("The worker ended unexpectedly.", "Start again.")
        self.cancelled = False
        json.dumps(params)
        return FakeCall(self, method, params, arrays or {})

    def call(self, method, params, arrays=None, on_progress=None):
        return self.start(method, params, arrays, on_progress).result()

    def poll(self):
        return []

    def cancel(self):
        self.cancelled = True

    def kill(self):
        self.alive = False
        self._blank()

    def restart(self):
        self.alive = True
        self.starts += 1

    def close(self):
        self.alive = False

    def answered(self, call):
        if not self.alive:
            return FakeWorkerDiedError("The worker ended unexpectedly.", "Start again.")
        if self.cancelled:
            return FakeWorkerError("Stopped.")
        if call.method in self.faults:
            return self.faults.pop(call.method)
        return getattr(self, f"on_{call.method}")(call.params, call.arrays)

    def on_hello(self, params, arrays):
        bundles = [{"name": "tiny", "description": "a fake", "licence": "CC0", "card": "", "channels": 1}]
        return {"version": "fake", "protocol": 1, "device": "cpu", "why_no_gpu": "a fake", "bundles": bundles}, {}

    def on_describe(self, params, arrays):
        return {"name": params["path"], "description": "a fake", "licence": "CC0", "card": "", "channels": 1}, {}

    def on_estimate(self, params, arrays):
        self.estimated = params
        needed = {"seconds": float(np.prod(params["shape"])), "bytes": 1, "gpu_bytes": 0}
        return {**needed, "available_bytes": None, "available_gpu_bytes": None}, {}

    def on_open(self, params, arrays):
        self.volume = arrays["volume"]
        assert self.volume.dtype == np.float32
        assert self.volume.ndim == 4
        self.affine = np.asarray(params["affine"])
        self.opened = params
        self.painted = None
        return {"digest": "0", "features_cached": False, "doubts": []}, {}

    def on_extract(self, params, arrays):
        return {"seconds": 0.0, "doubts": self.doubts}, {}

    def on_annotate(self, params, arrays):
        painted = arrays["painted"]
        assert painted.dtype == np.uint16
        assert painted.shape == self.volume.shape[1:]
        self.painted, self.annotated = painted, params
        self.known = painted > 0
        for axis, indices in enumerate(params["complete_slices"]):
            np.moveaxis(self.known, axis, 0)[indices] = True
        if params["background_box"]:
            outside = np.ones(painted.shape, bool)
            outside[tuple(slice(*edges) for edges in params["background_box"])] = False
            self.known |= outside
        return {"known_voxels": int(self.known.sum())}, {}

    def on_train(self, params, arrays):
        self.classes = self._learnt()
        self.labels, self.trained = self._painted_labels(), params
        for name in params["beside"]:
            classes, labels = self.lessons[name]
            self.classes = {**classes, **self.classes}
            own = {label["value"] for label in self.labels}
            self.labels += [label for label in labels if label["value"] not in own]
        said = {"voxels": int(self.known.sum()), "seconds": 0.1, "labels": self.labels, "doubts": self.doubts}
        return said, {}

    def on_lesson(self, params, arrays):
        self.lessons[params["name"]] = self._learnt(), self._painted_labels()
        return {"voxels": int(self.known.sum()), "doubts": self.doubts}, {}

    def on_forget(self, params, arrays):
        self.lessons = {}
        return {"bytes": 0}, {}

    def on_preview(self, params, arrays):
        labelmap, uncertainty = self._predicted()
        found = {}
        for number, (axis, index) in enumerate(params["slices"]):
            found[f"slice_{number}"] = labelmap.take(index, axis)
            found[f"uncertainty_{number}"] = uncertainty.take(index, axis)
        return {"doubts": self.doubts}, found

    def on_predict(self, params, arrays):
        self.keep_largest = params.get("keep_largest", self.keep_largest)
        labelmap, uncertainty = self._predicted()
        return {"doubts": self.doubts}, {"labelmap": labelmap, "uncertainty": uncertainty}

    def on_suggest(self, params, arrays):
        _, uncertainty = self._predicted()
        size = uncertainty.shape[2]
        return {"slices": [{"axis": 2, "index": size // 2 + n, "score": 1.0} for n in range(params["count"])]}, {}

    def on_save_segmenter(self, params, arrays):
        self.keep_largest = params.get("keep_largest", self.keep_largest)
        learnt = {"classes": self.classes, "labels": self.labels, "channels": len(self.volume)}
        said = json.dumps({**learnt, "keep_largest": self.keep_largest})
        return {}, {"segmenter": np.frombuffer(said.encode(), np.uint8)}

    def on_load_segmenter(self, params, arrays):
        try:
            said = json.loads(arrays["segmenter"].tobytes())
        except ValueError:
            return FakeWorkerError("That file is no segmenter.", "Choose another one.")
        self.classes = {int(key): value for key, value in said["classes"].items()}
        self.labels, self.keep_largest = said["labels"], said["keep_largest"]
        told = {"labels": self.labels, "bundle": "tiny", "channels": said["channels"]}
        return {**told, "keep_largest": self.keep_largest}, {}

    def _learnt(self):
        bins, classes = self._bins()[self.known], self.painted[self.known]
        found = {}
        for bin_of_some in np.unique(bins):
            values, counts = np.unique(classes[bins == bin_of_some], return_counts=True)
            found[int(bin_of_some)] = int(values[counts.argmax()])
        return found

    def _painted_labels(self):
        return [label for label in self.annotated["labels"] if (self.painted == label["value"]).any()]

    def _bins(self):
        return np.floor(self.volume.sum(0) / len(self.volume) / BIN_WIDTH).astype(int)

    def _predicted(self):
        bins = self._bins()
        labelmap = np.zeros(bins.shape, np.uint16)
        for found, value in self.classes.items():
            labelmap[bins == found] = value
        edges = np.zeros(bins.shape, np.float32)
        for axis in range(3):
            edges += np.abs(np.gradient(labelmap.astype(np.float32), axis=axis)) > 0
        return labelmap, edges / 3
