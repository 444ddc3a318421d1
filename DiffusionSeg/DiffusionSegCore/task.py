"""What a segmentation task consists of, and how the worker is brought to it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.call_sequence import CallSequence, Step
from DiffusionSegCore.findings import Findings
from DiffusionSegCore.input_volume import UNCERTAINTY_ATTRIBUTE, InputVolume
from DiffusionSegCore.learnt_labels import LearntLabel, labels_as_learnt
from DiffusionSegCore.node_placement import remove_whole
from DiffusionSegCore.node_visibility import APPLIED_ATTRIBUTE
from DiffusionSegCore.result_segmentation import check_takes_results
from DiffusionSegCore.scan_doubts import ScanDoubts
from DiffusionSegCore.scan_work import HINT, ScanWork
from DiffusionSegCore.scene_nodes import RESULT, SEEDS_ATTRIBUTE, SceneNodes
from DiffusionSegCore.scene_state import SceneState
from DiffusionSegCore.seeds import seeds_for, untouched_seeds
from DiffusionSegCore.segment_labels import label_to_json
from DiffusionSegCore.settings import Settings
from DiffusionSegCore.worker_session import WorkerSession
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

Report = Callable[[str, int, int], None]


class SegmentationTask(AnnotationBoard):
    """The nodes, settings and worker of one task, and what is known of it without computing anything.

    Args:
        scene: whose nodes are worked on.
        client_factory: starts a worker and returns its client.
        session_folder: where the worker keeps features; None for a folder that ends with the task.
        session_bytes: how large that may grow; None for the worker's own choice.
    """

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        client_factory: Callable[[], Any],
        session_folder: str | None = None,
        session_bytes: int | None = None,
    ) -> None:
        self.scene = scene
        self.state = SceneState(scene)
        super().__init__(SceneNodes(self.state))
        self.settings = Settings(self.state)
        self.findings = Findings(self.nodes)
        self._doubts = ScanDoubts()
        self._own_folder = tempfile.TemporaryDirectory() if session_folder is None else None
        self._client_factory = client_factory
        self.renew_worker(session_folder or self._own_folder.name, session_bytes)

    def renew_worker(self, session_folder: str, session_bytes: int | None = None) -> None:
        """Take it that the worker was ended, and let the next one keep its work in this folder."""
        self.worker = WorkerSession(self._client_factory, session_folder, session_bytes)

    def limit_kept_work(self, session_bytes: int) -> None:
        """Let the folder of kept work grow so large, from the next call to the worker on."""
        self.worker.session_bytes = session_bytes

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
    def uncertainty_in_view(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The same of the volume that the views show; of one that the segmenter was applied to that of its result."""
        return self.nodes.uncertainty_in_view

    def shows_uncertainty(self, node: slicer.vtkMRMLScalarVolumeNode) -> bool:
        """Whether a volume was computed to show where a result is unsure, and is no scan."""
        return node is self.uncertainty_volume or node.GetAttribute(UNCERTAINTY_ATTRIBUTE) is not None

    @property
    def labels(self) -> list[Label]:
        """What the segmenter trained or loaded last knows."""
        return [one.label for one in self.learnt]

    @property
    def learnt(self) -> list[LearntLabel]:
        """The same, and the segments that it was learnt from."""
        return [LearntLabel.from_json(said) for said in self.state.value("Labels", [])]

    @property
    def doubts(self) -> list[str]:
        """Why structures of the chosen scan may be missed, one sentence each, as far as the worker has seen it.

        Those of another volume that the views show follow, by its name.
        """
        told, other = [], self.nodes.shown_instead
        # Whoever looks has asked for nothing that a scan which lost its voxels or a channel could fail.
        with contextlib.suppress(DiffusionSegError):
            told += self._doubts.of(self.nodes.volume(), self.settings.bundle)
        with contextlib.suppress(DiffusionSegError):
            found = [] if other is None else self._doubts.of(InputVolume((other,)), self.settings.bundle)
            told += [f"{other.GetName()}: {doubt}" for doubt in found]
        return told

    def set_input(
        self,
        volume_nodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
        segmentation_node: slicer.vtkMRMLSegmentationNode | None = None,
    ) -> list[str]:
        """Take up a scan, and return what the user should know about it, one sentence each.

        Args:
            volume_nodes: its channels; the others are resampled to the first one's voxels.
            segmentation_node: what is painted in; None for the segmentation that was painted in last on this volume, or
                else a new one. One that lies on other voxels stays as it is: a copy of it is painted in.

        Raises:
            DiffusionSegError: if a volume has no voxels, or several values in each; or if the segmentation cannot be
                turned into voxels.
        """
        if not volume_nodes:
            raise DiffusionSegError("There is no input volume.", "Choose a volume first.")
        volume = InputVolume(tuple(volume_nodes))
        seeds, warnings = seeds_for(volume, segmentation_node)
        if self.nodes.take(volume, seeds):
            # What is found again may be from before the last training.
            self.findings.outdate()
        return [*volume.warnings(), *warnings]

    def remove_untouched_seeds(self, *, also_own: bool = False) -> None:
        """Remove what was made to paint in and never was; `also_own`: also where the chosen volume is to be painted."""
        for node in untouched_seeds(self.scene):
            if also_own or node is not self.seeds:
                remove_whole(node)

    def leave_views(self, shown: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Take what belongs to the chosen volume out of the views, which show another one instead."""
        self.nodes.leave_views(shown)

    def return_to_views(self) -> bool:
        """Show what belongs to the chosen volume again; gives whether the views had shown another one instead."""
        return self.nodes.return_to_views()

    def put_away(self) -> None:
        """Take what belongs to the chosen volume out of the views: a scene is added that may bring another task."""
        self.nodes.put_away()

    def bring_back(self) -> None:
        """Show what belongs to the chosen volume again: the scene was added."""
        self.nodes.bring_back()

    def show_preview(self, shown: bool) -> None:
        """Show or hide the preview, if there is one; hidden in this way it stays so, whatever is found."""
        if self.preview is not None:
            self.preview.RemoveAttribute(APPLIED_ATTRIBUTE)
            self.preview.SetDisplayVisibility(shown)

    def set_result(self, segmentation_node: slicer.vtkMRMLSegmentationNode) -> None:
        """Choose where `apply_preview` copies to.

        Raises:
            DiffusionSegError: if that is the preview or a painting, or belongs to another volume.
        """
        check_takes_results(segmentation_node, self.nodes)
        segmentation_node.RemoveAttribute(SEEDS_ATTRIBUTE)
        self.state.refer(RESULT, segmentation_node)
        self.nodes.show_result()

    def forget_result(self) -> None:
        """Let the next `apply_preview` copy to a new segmentation."""
        self.state.refer(RESULT)

    def start_hello(self) -> CallSequence:
        """Ask the worker about itself: version, device, why_no_gpu and bundles."""
        return self.worker.run([Step("hello", {})])

    def start_describing(self, folder: str) -> CallSequence:
        """Ask about the model in a folder of the worker's computer: name, description, licence, card and channels."""
        return self.worker.run([Step("describe", {"path": folder})])

    def start_estimate(self) -> CallSequence:
        """Ask how long the first run on the chosen volume takes, how much memory that needs and how much there is.

        Gives seconds, bytes, gpu_bytes, available_bytes and available_gpu_bytes, of which the last two may be None.
        """
        volume = self.nodes.volume()
        geometry = volume.geometry
        scan = {"shape": list(geometry.shape), "affine": geometry.affine.tolist(), "channels": len(volume.nodes)}
        params = {"bundle": self._bundle(), "device": self.settings.device, **scan}
        return self.worker.run([Step("estimate", params)])

    def start_forgetting(self) -> CallSequence:
        """Delete all work that the worker keeps in the session folder; gives the bytes that became free."""
        return self.worker.run([self.worker.forgetting()])

    def cancel(self) -> None:
        """Stop what the worker does now; the work then fails with "Stopped."."""
        self.worker.cancel()

    def _opening(self, volume: InputVolume) -> list[Step]:
        return self.worker.opening(volume, self._bundle(), self.settings.device)

    def _teaching(self, board: AnnotationBoard) -> list[Step]:
        """What lets the worker know what is painted on another volume."""
        volume, bundle = board.nodes.volume(), self._bundle()
        name = volume.first.GetName()
        try:
            described, painted = board.described(), board.painted()
        except DiffusionSegError as error:
            raise DiffusionSegError(f"{name}: {error.message}", error.hint) from error
        steps = self.worker.teaching(volume, bundle, self.settings.device, described, painted)
        return [replace(self._doubts.heard_from(step, volume, bundle), about=name) for step in steps]

    def _bundle(self) -> str:
        if not self.settings.bundle:
            raise DiffusionSegError("No model is chosen.", "Choose one under Input, or the folder of one of your own.")
        return self.settings.bundle

    def _with_segmenter(self, volume: InputVolume) -> list[Step]:
        opening, loading = self._opening(volume), self.worker.segmenter_loading(self.state.value("Segmenter"))
        return [*opening, *loading, *self.worker.annotating_anew(*self._painting_on(volume))]

    def _painting_on(self, volume: InputVolume) -> tuple[dict[str, Any], np.ndarray]:
        """What is painted on a volume now, described by the names that the segmenter knows, and its label values.

        Nothing on another volume than the chosen one, and strokes alone where slices and region cannot be told of.
        """
        described: dict[str, Any] = {"complete_slices": [[], [], []], "background_box": None, "labels": []}
        if self.seeds is None or not self.nodes.are_of(volume):
            return described, np.zeros(volume.geometry.shape, np.uint16)
        with contextlib.suppress(DiffusionSegError):
            described = self.described()
        return {**described, "labels": self._labels_as_learnt()}, self.painted()

    def _labels_as_learnt(self) -> list[dict[str, Any]]:
        """The labels of the seeds by the names that the segmenter knows, as the worker is told them."""
        return [label_to_json(label) for label in labels_as_learnt(self.nodes.painted_seeds(), self.learnt)]

    def _work(
        self,
        volume: InputVolume,
        steps: list[Step],
        on_progress: Report | None,
        slices: tuple[tuple[int, int], ...] = (),
        warnings: Sequence[str] = (),
        ahead: Sequence[Step] = (),
    ) -> ScanWork:
        """Begin the steps on a volume; those `ahead` of them are about others."""
        steps = [self._doubts.heard_from(step, volume, self.settings.bundle) for step in steps]
        geometry = volume.geometry
        return ScanWork(
            self.worker.run([*ahead, *steps], on_progress),
            volume,
            geometry,
            slices,
            tuple(self.learnt),
            tuple(warnings),
        )

    def _finished(self, work: ScanWork) -> tuple[dict[str, Any], dict[str, Any]]:
        result = work.result()
        work.check_still_wanted(self.scene)
        if not self.nodes.are_of(work.volume):
            raise DiffusionSegError("Another volume was chosen meanwhile; the result was dropped.", HINT)
        return result
