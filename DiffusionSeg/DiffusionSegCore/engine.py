"""The one object that the widget, batch mode and tests drive."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.annotation_slices import AnnotationSlice
from DiffusionSegCore.apply_preview import AppliedPreview
from DiffusionSegCore.call_sequence import Step
from DiffusionSegCore.findings import WHOLE_VOLUME, Findings
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.node_placement import new_segmentation
from DiffusionSegCore.scan_work import HINT, ScanWork
from DiffusionSegCore.scene_nodes import RESULT, SceneNodes
from DiffusionSegCore.scene_state import SceneState
from DiffusionSegCore.seeds import seeds_for
from DiffusionSegCore.segment_labels import label_from_json, label_to_json
from DiffusionSegCore.settings import Settings
from DiffusionSegCore.uncertainty_display import show_over_image
from DiffusionSegCore.worker_session import WorkerSession
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

Report = Callable[[str, int, int], None]


class DiffusionSegEngine(AnnotationBoard):
    """Paint, train, look, apply: on the nodes of a scene, by a worker, without any window.

    All that lasts is kept in the scene's parameter node. `start_...` returns at once with work in progress: poll its
    `done`, then hand it to `finish_...`, which puts what was found into the scene; or call that at once to wait.
    Problems are `DiffusionSegError`s, and leave the scene as it was.

    Args:
        scene: whose nodes are worked on.
        client_factory: starts a worker and returns its client.
        session_folder: where the worker keeps features and segmenters; None for a folder that ends with the engine.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        client_factory: Callable[[], Any],
        session_folder: str | None = None,
    ) -> None:
        self.scene = scene
        self.state = SceneState(scene)
        super().__init__(SceneNodes(self.state))
        self.settings = Settings(self.state)
        self.findings = Findings(self.nodes)
        self._own_folder = tempfile.TemporaryDirectory() if session_folder is None else None
        self.worker = WorkerSession(client_factory, session_folder or self._own_folder.name)
        self._applied: AppliedPreview | None = None

    def close(self) -> None:
        """End the worker; the scene stays as it is."""
        self.worker.close()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    @property
    def seeds(self) -> slicer.vtkMRMLSegmentationNode | None:
        """What the user paints."""
        return self.nodes.seeds

    @property
    def preview(self) -> slicer.vtkMRMLSegmentationNode | None:
        """What was found, until it is applied."""
        return self.nodes.preview

    @property
    def result(self) -> slicer.vtkMRMLSegmentationNode | None:
        """Where `apply_preview` copies to; made by the first one if none was chosen."""
        return self.nodes.result

    @property
    def roi(self) -> slicer.vtkMRMLMarkupsROINode | None:
        """The background region."""
        return self.nodes.roi

    @property
    def uncertainty_volume(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """Where the ensemble disagrees, from 0 to 1."""
        return self.nodes.uncertainty_volume

    @property
    def labels(self) -> list[Label]:
        """What the segmenter trained or loaded last knows."""
        return [label_from_json(said) for said in self.state.value("Labels", [])]

    def set_input(
        self,
        volume_nodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
        segmentation_node: slicer.vtkMRMLSegmentationNode | None = None,
    ) -> list[str]:
        """Take up a scan, and return what the user should know about it, one sentence each.

        Args:
            volume_nodes: its channels; the others are resampled to the first one's voxels.
            segmentation_node: what is painted in; None for the segmentation that was painted on this volume before, or
                else a new one. One that lies on other voxels stays as it is: a copy of it is painted in.

        Raises:
            DiffusionSegError: if a volume has no voxels, or several values in each.
        """
        if not volume_nodes:
            raise DiffusionSegError("There is no input volume.", "Choose a volume first.")
        volume = InputVolume(tuple(volume_nodes))
        seeds, warnings = seeds_for(volume, segmentation_node)
        self.nodes.take(volume, seeds)
        return [*volume.warnings(), *warnings]

    def set_result(self, segmentation_node: slicer.vtkMRMLSegmentationNode) -> None:
        """Choose where `apply_preview` copies to.

        Raises:
            DiffusionSegError: if that is what is painted in, or the preview itself.
        """
        if segmentation_node in {self.seeds, self.preview}:
            message = f"{segmentation_node.GetName()} holds the painting or the preview."
            raise DiffusionSegError(message, "Choose another segmentation for the result, or a new one.")
        self.state.refer(RESULT, segmentation_node)

    def hello(self) -> dict[str, Any]:
        """What the worker says about itself: version, device, why_no_gpu and bundles; waits for the answer."""
        return self.worker.run([Step("hello", {})]).result()[0]

    def estimate(self) -> dict[str, Any]:
        """How long the chosen volume's features take and need: seconds and bytes; waits for the answer."""
        geometry = self.nodes.volume().geometry
        where = {"shape": list(geometry.shape), "affine": geometry.affine.tolist()}
        params = {"bundle": self.settings.bundle, "device": self.settings.device, **where}
        return self.worker.run([Step("estimate", params)]).result()[0]

    def cancel(self) -> None:
        """Stop what the worker does now; the work then fails with "Stopped."."""
        self.worker.cancel()

    def start_extraction(self, on_progress: Report | None = None) -> ScanWork:
        """Compute the features of the volume ahead, while the user paints."""
        volume = self.nodes.volume()
        return self._work(volume, [*self._opening(volume), Step("extract", {})], on_progress)

    def start_training(self, warm: bool = False, on_progress: Report | None = None) -> ScanWork:
        """Learn from all that is painted.

        Args:
            warm: go on from what was learnt last.
            on_progress: told stage, done and total while `finish_training` waits.

        Raises:
            DiffusionSegError: if there is nothing to learn from.
        """
        volume, painted, described = self.nodes.volume(), self.painted(), self.described()
        if not painted.any():
            raise DiffusionSegError("Nothing is painted yet.", "Paint structures on some slices first.")

        def trained(path: str) -> None:
            if all(node.GetScene() is self.scene for node in volume.nodes):
                self.state.set_value("Labels", described["labels"])
                self.state.set_value("Segmenter", path)
                self.findings.outdate()

        annotating = Step("annotate", described, lambda: {"painted": painted})
        steps = [*self._opening(volume), annotating, *self.worker.training(warm=warm, trained=trained)]
        return self._work(volume, steps, on_progress)

    def finish_training(self, work: ScanWork) -> dict[str, Any]:
        """Wait for the training; returns the number of `voxels` learnt from and the `seconds` it took.

        Raises:
            DiffusionSegError: if it failed, or its volume is gone.
        """
        work.result()
        work.check_still_wanted(self.scene)
        return work.call.result_of("train")

    def start_preview(
        self, slices: Sequence[tuple[int, int] | AnnotationSlice] | None = None, on_progress: Report | None = None
    ) -> ScanWork:
        """Segment some slices only, which is quick.

        Args:
            slices: axis and index of each; None for those that the slice views show.
            on_progress: told stage, done and total while `finish_preview` waits.
        """
        volume = self.nodes.volume()
        wanted = self.shown_slices() if slices is None else slices
        places = tuple(found.place if isinstance(found, AnnotationSlice) else tuple(found) for found in wanted)
        if not places:
            raise DiffusionSegError("No slice of the volume is shown.", "Scroll the views to the volume.")
        step = Step("preview", {"slices": [list(place) for place in places]})
        return self._work(volume, [*self._with_segmenter(volume), step], on_progress, places)

    def finish_preview(self, work: ScanWork) -> None:
        """Put the slices' labels into the preview and their uncertainty into its volume.

        Raises:
            DiffusionSegError: if the work failed, or its volume is gone or no longer the chosen one.
        """
        _, arrays = self._finished(work)
        self.findings.show_slices(work, arrays, self.labels)

    def start_prediction(self, on_progress: Report | None = None) -> ScanWork:
        """Segment the whole volume."""
        volume = self.nodes.volume()
        step = Step("predict", {"keep_largest": self.settings.keep_largest})
        return self._work(volume, [*self._with_segmenter(volume), step], on_progress)

    def finish_prediction(self, work: ScanWork) -> None:
        """Put the volume's labels into the preview and its uncertainty into its volume.

        Raises:
            DiffusionSegError: if the work failed, or its volume is gone or no longer the chosen one.
        """
        _, arrays = self._finished(work)
        self.findings.show_volume(work, arrays, self.labels)

    def apply_preview(self, overwrite: str = "all") -> slicer.vtkMRMLSegmentationNode:
        """Copy the preview into the user's segmentation and return that.

        Args:
            overwrite: whether its other segments lose the applied voxels: "all" of them, "visible" ones or "none".

        Raises:
            DiffusionSegError: if the whole volume was not predicted since the last training.
        """
        if self.findings.extent != WHOLE_VOLUME:
            message = "The preview does not show the whole volume yet."
            raise DiffusionSegError(message, "Segment the whole volume, then apply.")
        volume = self.nodes.volume().first
        if self.result is None:
            self.set_result(new_segmentation(volume, f"{volume.GetName()} segmentation"))
        self._applied = AppliedPreview(self.preview, self.result, volume, overwrite)
        return self.result

    def undo_apply(self) -> None:
        """Take the last `apply_preview` back.

        Raises:
            DiffusionSegError: if there is none, or its segmentation was deleted.
        """
        if self._applied is None:
            raise DiffusionSegError("Nothing was applied that could be undone.", "")
        applied, self._applied = self._applied, None
        applied.undo()

    def next_slices(self, count: int = 6) -> list[AnnotationSlice]:
        """The slices most worth painting next, best first, without those that are complete; waits for the answer."""
        volume = self.nodes.volume()
        steps = self._with_segmenter(volume)
        if steps and self.painted().any():
            # A worker that has just opened the scan does not know what is painted, and would name those slices.
            painted = self.painted()
            steps.append(Step("annotate", self.described(), lambda: {"painted": painted}))
        work = self._work(volume, [*steps, Step("suggest", {"count": count})], None)
        said, _ = work.result()
        known = {found.place: found for found in self.annotation_slices()}
        places = [(int(found["axis"]), int(found["index"])) for found in said["slices"]]
        return [known.get(place, AnnotationSlice(*place)) for place in places]

    def show_uncertainty(self, shown: bool = True) -> None:
        """Lay the uncertainty over the image in the slice views, or take it away."""
        if self.uncertainty_volume is not None:
            show_over_image(self.uncertainty_volume, shown=shown)

    def save_segmenter(self, path: str) -> None:
        """Write the segmenter to a file; waits until it is written.

        Raises:
            DiffusionSegError: if there is none, or the file cannot be written.
        """
        steps = self.worker.segmenter_loading(self.state.value("Segmenter"))
        self.worker.run([*steps, Step("save_segmenter", {"path": str(path)})]).result()

    def load_segmenter(self, path: str) -> list[Label]:
        """Take up a segmenter from a file and return what it knows; waits until it is read.

        Raises:
            DiffusionSegError: if the file is none.
        """
        self.worker.forget_segmenter()
        # A scan that is open with another bundle than the one chosen since would refuse the segmenter.
        steps = self._opening(self.nodes.volume()) if self.nodes.has_volume and self.worker.has_opened else []
        said, _ = self.worker.run([*steps, *self.worker.segmenter_loading(str(path))]).result()
        labels = [label_from_json(found) for found in said["labels"]]
        self.state.set_value("Labels", [label_to_json(label) for label in labels])
        self.state.set_value("Segmenter", str(path))
        if said.get("bundle"):
            self.settings.bundle = said["bundle"]
        self.findings.outdate()
        return labels

    def start_applying(
        self,
        volume_node: slicer.vtkMRMLScalarVolumeNode | Sequence[slicer.vtkMRMLScalarVolumeNode],
        on_progress: Report | None = None,
    ) -> ScanWork:
        """Segment another volume of the scene, or several that are its channels, with the segmenter."""
        nodes = volume_node if isinstance(volume_node, Sequence) else [volume_node]
        volume = InputVolume(tuple(nodes))
        step = Step("predict", {"keep_largest": self.settings.keep_largest})
        return self._work(volume, [*self._with_segmenter(volume), step], on_progress)

    def finish_applying(self, work: ScanWork) -> slicer.vtkMRMLSegmentationNode:
        """A new segmentation of the other volume.

        Raises:
            DiffusionSegError: if the work failed, or the volume is gone.
        """
        _, arrays = work.result()
        work.check_still_wanted(self.scene)
        return self.findings.show_other_volume(work, arrays, self.labels)

    def _opening(self, volume: InputVolume) -> list[Step]:
        return self.worker.opening(volume, self.settings.bundle, self.settings.device)

    def _with_segmenter(self, volume: InputVolume) -> list[Step]:
        opening = self._opening(volume)
        return [*opening, *self.worker.segmenter_loading(self.state.value("Segmenter"))]

    def _work(
        self,
        volume: InputVolume,
        steps: list[Step],
        on_progress: Report | None,
        slices: tuple[tuple[int, int], ...] = (),
    ) -> ScanWork:
        geometry = volume.geometry
        return ScanWork(self.worker.run(steps, on_progress), volume, geometry, slices)

    def _finished(self, work: ScanWork) -> tuple[dict[str, Any], dict[str, Any]]:
        result = work.result()
        work.check_still_wanted(self.scene)
        if self.nodes.volume().first is not work.volume.first:
            raise DiffusionSegError("Another volume was chosen meanwhile; the result was dropped.", HINT)
        return result
