"""What the worker has been told, and which calls bring it to where it must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from DiffusionSegCore.call_sequence import CallSequence, Step
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.segmenter_text import arrays_of, text_of
from DiffusionSegLib.errors import DiffusionSegError

# What the worker calls the scan in messages and files: never its name, which is often the patient's.
STEM = "scan"


class WorkerSession:
    """The worker and what it holds: an open scan and a segmenter.

    A worker that died or was restarted holds nothing: the next calls then open the scan again (its features come from
    the session folder) and load the last segmenter.

    Args:
        client_factory: gives the client of a worker: a new one, or one that is shared.
        session_folder: where the worker keeps what it computed, on its own computer.
        session_bytes: how large that folder may grow; None for the worker's own choice.
    """

    def __init__(
        self, client_factory: Callable[[], Any], session_folder: str, session_bytes: int | None = None
    ) -> None:
        self._client_factory = client_factory
        self.session_folder, self.session_bytes = session_folder, session_bytes
        self._client: Any = None
        self._process: int | None = None
        self._sequence: CallSequence | None = None
        self.forget()

    @property
    def client(self) -> Any:
        """The client of a living worker, which is started when it is first needed or has died."""
        if self._client is None or not self._client.alive:
            client = self._client_factory()
            if not client.alive:
                client.restart()
            self._client = client
        # Others who share the client may have restarted its worker.
        if self._process != self._client.process_id:
            self._process = self._client.process_id
            self.forget()
        return self._client

    @property
    def running(self) -> bool:
        """Whether there is a worker now."""
        return self._client is not None and self._client.alive

    def forget(self) -> None:
        """Take it that the worker holds nothing."""
        self._opened: tuple | None = None
        self._bundle: str | None = None
        self._segmenter: str | None = None
        self._annotation: tuple[dict[str, Any], np.ndarray] | None = None
        # By name what each lesson is about: how the scan was read, and what was painted on it.
        self._lessons: dict[str, tuple[tuple, dict[str, Any], np.ndarray]] = {}

    @property
    def segmenter(self) -> str | None:
        """The segmenter that the worker holds, as text; None if it has none that a scene could keep."""
        return self._segmenter

    def close(self) -> None:
        """End the worker."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self.forget()

    def cancel(self) -> None:
        """Stop what the worker does now, and what was to follow."""
        if self._sequence is not None and self.running and not self._sequence.done:
            self._sequence.stop()

    def run(self, steps: Sequence[Step], on_progress: Callable[[str, int, int], None] | None = None) -> CallSequence:
        """Make the calls, one after another."""
        self._sequence = CallSequence(self.client, steps, on_progress=on_progress, failed=self._after_failure)
        return self._sequence

    def opening(self, volume: InputVolume, bundle: str, device: str) -> list[Step]:
        """What opens the scan: nothing if it is open, and as much of it may be kept."""
        wanted = (volume.content, bundle, device, self.session_bytes)
        if self._opened_by(self.client) == wanted:
            return []
        if bundle != self._bundle:
            # The worker drops a segmenter that is of another bundle's features.
            self._segmenter, self._bundle = None, bundle
        params = {
            "bundle": bundle,
            "device": device,
            "affine": volume.geometry.affine.tolist(),
            "stem": STEM,
            "session_folder": self.session_folder,
        }
        if self.session_bytes is not None:
            params["session_bytes"] = self.session_bytes
        # What was annotated on the scan in an earlier session may be known again once it is open.
        self._opened = self._annotation = None

        def opened(*_: Any) -> None:
            self._opened = wanted

        return [Step("open", params, lambda: {"volume": volume.array()}, opened)]

    def segmenter_loading(self, text: str | None) -> list[Step]:
        """What loads a segmenter: nothing if the worker has it.

        Args:
            text: the segmenter as a scene keeps it; None if it has none.

        Raises:
            DiffusionSegError: if there is no segmenter at all.
        """
        if self.running and self._segmenter is not None and self._segmenter == text:
            return []
        if text is None:
            raise DiffusionSegError("There is no trained segmenter yet.", "Press Train, or load a segmenter.")
        return [self.loading(text)]

    def loading(self, text: str) -> Step:
        """What loads a segmenter, whether the worker has it or not, and tells its `labels`."""

        def loaded(said: dict[str, Any], _: dict[str, np.ndarray]) -> None:
            self._segmenter, self._bundle = text, said["bundle"]

        return Step("load_segmenter", {}, lambda: arrays_of(text), loaded)

    def annotating(self, described: dict[str, Any], painted: np.ndarray) -> Step:
        """What tells what is painted.

        Args:
            described: the parameters of `annotate`.
            painted: label values (I, J, K).
        """

        def sent() -> dict[str, np.ndarray]:
            self._annotation = described, painted
            return {"painted": painted}

        return Step("annotate", described, sent)

    def annotating_anew(self, described: dict[str, Any], painted: np.ndarray) -> list[Step]:
        """The same, ahead of what needs no annotation: nothing if that is what the worker was told last."""
        if self.running and self._annotation is not None:
            before, there = self._annotation
            if before == described and np.array_equal(there, painted):
                return []
        return [self.annotating(described, painted)]

    def teaching(
        self, volume: InputVolume, bundle: str, device: str, described: dict[str, Any], painted: np.ndarray
    ) -> list[Step]:
        """What lets the worker know what a scan teaches, under the name of `lesson_of`: nothing if it does.

        Args:
            volume: the scan.
            bundle: name or folder of the denoisers.
            device: what computes.
            described: the parameters of `annotate`.
            painted: label values (I, J, K).
        """
        name, read = self.lesson_of(volume), (volume.content, bundle, device)
        # Asking for the client notices that its worker was started again by others who share it.
        if self.client.alive and name in self._lessons:
            before, as_described, there = self._lessons[name]
            if (before, as_described) == (read, described) and np.array_equal(there, painted):
                return []

        def taught(*_: Any) -> None:
            self._lessons[name] = (read, described, painted)

        opening = self.opening(volume, bundle, device)
        return [*opening, self.annotating(described, painted), Step("lesson", {"name": name}, succeeded=taught)]

    @staticmethod
    def lesson_of(volume: InputVolume) -> str:
        """What the worker calls that which a scan teaches."""
        return volume.first.GetID()

    def forgetting(self) -> Step:
        """What deletes all work in the session folder, and all that was taught."""

        def forgotten(*_: Any) -> None:
            self._lessons = {}

        return Step("forget", {"path": self.session_folder}, succeeded=forgotten)

    def training(
        self,
        *,
        warm: bool,
        learnt_as: list[dict[str, Any]],
        beside: list[str],
        trained: Callable[[str, list[dict[str, Any]]], None],
    ) -> list[Step]:
        """What trains a segmenter, and asks for it.

        Args:
            warm: go on from the segmenter of the last round, if the worker has it.
            learnt_as: the labels, by the names by which that learnt them.
            beside: the lessons that are learnt, too.
            trained: told the new segmenter as text, for the scene to keep, and its labels.
        """
        labels: list[dict[str, Any]] = []
        # As the worker does: volumes that were deleted, or whose scene was closed, would live on here.
        self._lessons = {name: known for name, known in self._lessons.items() if name in beside}

        def learnt(said: dict[str, Any], _: dict[str, np.ndarray]) -> None:
            labels.extend(said["labels"])
            # Not the scene's any more, until that has got this one.
            self._segmenter = None

        def sent(_: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
            self._segmenter = text_of(arrays)
            trained(self._segmenter, labels)

        params = {"warm": warm and self._segmenter is not None, "labels": learnt_as, "beside": beside}
        return [Step("train", params, succeeded=learnt), Step("save_segmenter", {}, succeeded=sent)]

    def _opened_by(self, client: Any) -> tuple | None:
        # Asking for the client starts a dead worker again, which then has nothing open.
        return self._opened if client.alive else None

    def _after_failure(self, _: Exception) -> None:
        # It may have been stopped before it took the annotation, or may not have what it was thought to have.
        self._annotation, self._lessons = None, {}
        if not self.running:
            self.forget()
