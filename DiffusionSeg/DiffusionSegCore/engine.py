"""The one object that the widget, batch mode and tests drive."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.annotation_slices import AnnotationSlice
from DiffusionSegCore.apply_preview import AppliedPreview
from DiffusionSegCore.call_sequence import CallSequence, Step
from DiffusionSegCore.findings import WHOLE_VOLUME
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.learnt_labels import LearntLabel, learnt_from, with_those_of_others
from DiffusionSegCore.node_placement import new_segmentation
from DiffusionSegCore.painted_volumes import other_painted_volumes
from DiffusionSegCore.result_segmentation import make_ready
from DiffusionSegCore.scan_work import ScanWork
from DiffusionSegCore.seeds import overlap_warnings
from DiffusionSegCore.segment_labels import label_from_json
from DiffusionSegCore.segmenter_file import read_segmenter, write_segmenter
from DiffusionSegCore.segmenter_text import text_of
from DiffusionSegCore.suggestions import keep_suggestions, read_suggestions
from DiffusionSegCore.task import Report, SegmentationTask
from DiffusionSegCore.uncertainty_display import show_over_image, take_off_image
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

# Label values of which a loaded segmenter keeps the largest part alone.
CLEANED_UP = "CleanedUp"
# Of how many volumes the scans consist that the segmenter learnt from.
CHANNELS = "Channels"


class DiffusionSegEngine(SegmentationTask):
    """Paint, train, look, apply: on the nodes of a scene, by a worker, without any window.

    All that lasts is kept in the scene's parameter node. `start_...` returns at once with work in progress: poll its
    `done`, then hand it to `finish_...`, which puts what was found into the scene; or call that at once to wait.
    Problems are `DiffusionSegError`s, and leave the scene as it was.

    Args:
        scene: whose nodes are worked on.
        client_factory: starts a worker and returns its client.
        session_folder: where the worker keeps features; None for a folder that ends with the engine.
        session_bytes: how large that may grow; None for the worker's own choice.
    """

    # The last Apply that changed anything, until it is undone.
    _applied: AppliedPreview | None = None
    # Names of segments that the last Apply replaced though they were drawn, or edited, by hand.
    edits_replaced: tuple[str, ...] = ()
    # Names of other segments that lost voxels to it.
    voxels_taken: tuple[str, ...] = ()

    def start_extraction(self, on_progress: Report | None = None) -> ScanWork:
        """Compute the features of the volume ahead, while the user paints; training and preview then need not."""
        volume = self.nodes.volume()
        return self._work(volume, [*self._opening(volume), Step("extract", {})], on_progress)

    def finish_extraction(self, work: ScanWork) -> None:
        """Wait for the features.

        Raises:
            DiffusionSegError: if they could not be computed.
        """
        work.result()

    def start_training(
        self, warm: bool = False, on_progress: Report | None = None, *, all_paintings: bool = False
    ) -> ScanWork:
        """Learn from all that is painted.

        Args:
            warm: go on from what was learnt last.
            on_progress: told stage, done and total while `finish_training` waits.
            all_paintings: learn what is painted on other volumes of the scene, too.

        Raises:
            DiffusionSegError: if there is nothing to learn from.
        """
        volume, painted, described = self.nodes.volume(), self.painted(), self.described()
        if not painted.any():
            raise DiffusionSegError("Nothing is painted yet.", "Paint structures on some slices first.")

        learnt, learnt_as = learnt_from(self.nodes.painted_seeds(), painted), self._labels_as_learnt()

        def trained(segmenter: str, labels: list[dict[str, Any]]) -> None:
            # A scene that was added meanwhile may have brought a task of its own, with its own segmenter.
            if self.nodes.are_of(volume) and all(node.GetScene() is self.scene for node in volume.nodes):
                known = with_those_of_others(learnt, labels)
                self.state.set_value("Labels", [one.to_json() for one in known])
                self.state.set_value("Segmenter", segmenter)
                self.state.set_value(CHANNELS, len(volume.nodes))
                self.state.set_value(CLEANED_UP, None)
                self.findings.outdate()

        others, told = self._others_to_learn(volume) if all_paintings else ([], [])
        teaching = [step for board in others for step in self._teaching(board)]
        opening, annotating = self._opening(volume), self.worker.annotating(described, painted)
        training = self.worker.training(
            warm=warm,
            learnt_as=learnt_as,
            beside=[self.worker.lesson_of(board.nodes.volume()) for board in others],
            trained=trained,
        )
        warnings = [*overlap_warnings(self.nodes.painted_seeds(), volume.first), *told]
        return self._work(volume, [*opening, annotating, *training], on_progress, warnings=warnings, ahead=teaching)

    def finish_training(self, work: ScanWork) -> dict[str, Any]:
        """Wait for the training; returns the number of `voxels` learnt from, the `seconds` it took, and `warnings`.

        Raises:
            DiffusionSegError: if it failed, or its volume is gone or no longer the chosen one.
        """
        self._finished(work)
        return {**work.call.result_of("train"), "warnings": list(work.warnings)}

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
        self.findings.show_slices(work, arrays)

    def start_prediction(self, on_progress: Report | None = None) -> ScanWork:
        """Segment the whole volume."""
        return self._prediction_of(self.nodes.volume(), on_progress)

    def finish_prediction(self, work: ScanWork) -> None:
        """Put the volume's labels into the preview and its uncertainty into its volume.

        Raises:
            DiffusionSegError: if the work failed, or its volume is gone or no longer the chosen one.
        """
        _, arrays = self._finished(work)
        self.findings.show_volume(work, arrays)

    def apply_preview(self, overwrite: str = "all") -> slicer.vtkMRMLSegmentationNode:
        """Copy the preview into the user's segmentation and return that; the preview gives way to it in the views.

        `edits_replaced` and `voxels_taken` then tell what that cost. What was painted since the volume was segmented is
        laid over it before.

        Args:
            overwrite: whether its other segments lose the applied voxels: "all" of them, "visible" ones or "none".

        Raises:
            DiffusionSegError: if the whole volume was not predicted since the last training, or the segmentation
                cannot take it.
        """
        if not self.can_apply:
            message = "The preview does not show the whole volume as it was learnt last."
            raise DiffusionSegError(message, "Segment the whole volume, then apply.")
        volume = self.nodes.volume()
        if self.result is None:
            self.set_result(new_segmentation(volume.first, f"{volume.first.GetName()} segmentation"))
        make_ready(self.result, volume.first)
        self.findings.move_along(volume.first)
        self.findings.lay_over(volume, *self._painting_on(volume), self.learnt)
        applied = AppliedPreview(self.preview, self.result, volume.first, overwrite)
        # A second click, which changes nothing, must not cost the way back from the first.
        if applied.changed_anything:
            self._applied = applied
        self.edits_replaced, self.voxels_taken = applied.edits_replaced, applied.voxels_taken
        self.nodes.hide_applied()
        return self.result

    @property
    def can_apply(self) -> bool:
        """Whether the preview shows the whole volume as it was learnt last."""
        return self.findings.extent == WHOLE_VOLUME

    @property
    def can_undo(self) -> bool:
        """Whether there is an `apply_preview` to take back."""
        return self._applied is not None

    def undo_apply(self) -> list[str]:
        """Take the last `apply_preview` back, but no edit that was made since; the preview is seen again.

        Returns:
            where that was and what the user should know, one sentence each.

        Raises:
            DiffusionSegError: if there is none, or its segmentation was deleted.
        """
        if self._applied is None:
            raise DiffusionSegError("Nothing was applied that could be undone.", "")
        applied, self._applied = self._applied, None
        edited = applied.undo()
        self.nodes.show_applied(applied.preview)
        return [f"The last Apply to {applied.target.GetName()} was taken back.", *edited]

    def start_suggesting(self, count: int = 6) -> ScanWork:
        """Look for the slices most worth painting next, those that are complete left out."""
        volume = self.nodes.volume()
        return self._work(volume, [*self._with_segmenter(volume), Step("suggest", {"count": count})], None)

    def finish_suggesting(self, work: ScanWork) -> list[tuple[AnnotationSlice, float]]:
        """The slices found, best first, and how unsure the segmenter is there.

        Raises:
            DiffusionSegError: if the work failed, or its volume is gone or no longer the chosen one.
        """
        said, _ = self._finished(work)
        found = [((one["axis"], one["index"]), one["score"]) for one in said["slices"]]
        keep_suggestions(work.volume.first, found)
        return self.suggestions

    @property
    def suggestions(self) -> list[tuple[AnnotationSlice, float]]:
        """What was suggested last for the chosen volume, best first, unless that has other voxels since."""
        # Whoever looks has asked for nothing that a scan which lost its voxels or a channel could fail.
        with contextlib.suppress(DiffusionSegError):
            kept = read_suggestions(self.nodes.volume().first)
            known = {found.place: found for found in self.annotation_slices()}
            return [(known.get(place, AnnotationSlice(*place)), score) for place, score in kept]
        return []

    def next_slices(self, count: int = 6) -> list[AnnotationSlice]:
        """The slices most worth painting next, best first, waited for."""
        return [found for found, _ in self.finish_suggesting(self.start_suggesting(count))]

    def show_uncertainty(self, opacity: float = 0.6) -> None:
        """Lay the uncertainty over the image that the slice views show, opacity 0 to 1; 0 takes it away."""
        if opacity <= 0:
            take_off_image(self.scene)
        elif self.uncertainty_in_view is not None:
            show_over_image(self.uncertainty_in_view, opacity)

    def start_saving(self, path: str) -> CallSequence:
        """Write the segmenter to a file, on this computer.

        Raises:
            DiffusionSegError: if there is none.
        """
        steps = self.worker.segmenter_loading(self.state.value("Segmenter"))
        wanted = {"keep_largest": self._cleaned_up()}
        saving = Step("save_segmenter", wanted, succeeded=lambda _, arrays: write_segmenter(path, arrays))
        return self.worker.run([*steps, saving])

    def save_segmenter(self, path: str) -> None:
        """Write the segmenter to a file; waits until it is written.

        Raises:
            DiffusionSegError: if there is none, or the file cannot be written.
        """
        self.start_saving(path).result()

    def start_loading(self, path: str) -> CallSequence:
        """Read a segmenter from a file, on this computer.

        Raises:
            DiffusionSegError: if the file cannot be read.
        """
        return self.worker.run([Step("hello", {}), self.worker.loading(text_of(read_segmenter(path)))])

    def finish_loading(self, call: CallSequence) -> list[Label]:
        """Take up the segmenter that was read from a file, and return what it knows.

        Raises:
            DiffusionSegError: if the file is none.
        """
        said, _ = call.result()
        labels = [label_from_json(found) for found in said["labels"]]
        self.state.set_value("Labels", [LearntLabel(label).to_json() for label in labels])
        self.state.set_value("Segmenter", self.worker.segmenter)
        self.state.set_value(CHANNELS, said["channels"])
        self.settings.keep_largest = bool(said["keep_largest"])
        self.state.set_value(CLEANED_UP, said["keep_largest"])
        # A bundle in a folder of the user's own is not found by its name: then the choice stays.
        if said["bundle"] in {bundle["name"] for bundle in call.result_of("hello")["bundles"]}:
            self.settings.bundle = said["bundle"]
        self.findings.outdate()
        return labels

    def load_segmenter(self, path: str) -> list[Label]:
        """Take up a segmenter from a file and return what it knows; waits until it is read.

        Raises:
            DiffusionSegError: if the file is none.
        """
        return self.finish_loading(self.start_loading(path))

    def start_applying(
        self,
        volume_node: slicer.vtkMRMLScalarVolumeNode | Sequence[slicer.vtkMRMLScalarVolumeNode],
        on_progress: Report | None = None,
    ) -> ScanWork:
        """Segment another volume of the scene, or several that are its channels, with the segmenter."""
        nodes = volume_node if isinstance(volume_node, Sequence) else [volume_node]
        return self._prediction_of(InputVolume(tuple(nodes)), on_progress)

    def finish_applying(self, work: ScanWork) -> slicer.vtkMRMLSegmentationNode:
        """A new segmentation of the other volume, which keeps where that is unsure.

        Raises:
            DiffusionSegError: if the work failed, or the volume is gone.
        """
        _, arrays = work.result()
        work.check_still_wanted(self.scene)
        return self.findings.show_other_volume(work, arrays)

    def _others_to_learn(self, volume: InputVolume) -> tuple[list[AnnotationBoard], list[str]]:
        """Other volumes whose painting is learnt beside this one's, and what the user should know about them."""
        others = other_painted_volumes(self.nodes)
        if not others:
            return [], ["On no other volume anything is painted."]
        if len(volume.nodes) > 1:
            # Which volumes were channels of one scan is known of the chosen one only.
            return [], ["What is painted on other volumes is not learnt, as this scan has several channels."]
        names = ", ".join(board.nodes.volume().first.GetName() for board in others)
        return others, [f"Also learnt: what is painted on {names}."]

    def _prediction_of(self, volume: InputVolume, on_progress: Report | None) -> ScanWork:
        learnt, given = self.state.value(CHANNELS), len(volume.nodes)
        # Scenes of older versions do not say of how many it learnt.
        if learnt is not None and learnt != given:
            message = f"The segmenter learnt from {learnt} volumes of the same body, and here {given} are chosen."
            hint = (
                "Choose as many under Input, as Volume and Further channels, and press Segment the whole volume, "
                "or train again."
            )
            raise DiffusionSegError(message, hint)
        step = Step("predict", {"keep_largest": self._cleaned_up()})
        return self._work(volume, [*self._with_segmenter(volume), step], on_progress)

    def _cleaned_up(self) -> list[int]:
        """The label values of which only the largest part is kept: those that a loaded segmenter names, or all."""
        if not self.settings.keep_largest:
            return []
        return self.state.value(CLEANED_UP, []) or [label.value for label in self.labels]
