"""The nodes that one segmentation task consists of, found through the parameter node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import slicer

from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.node_placement import VOLUME_OF_SEGMENTATION
from DiffusionSegCore.node_visibility import APPLIED_ATTRIBUTE, hide, show_again
from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.scene_state import SceneState
from DiffusionSegCore.uncertainty_of_result import uncertainty_of_latest_result
from DiffusionSegLib.errors import DiffusionSegError

VOLUMES, SEEDS, PREVIEW, RESULT, UNCERTAINTY = "Volumes", "Seeds", "Preview", "Result", "Uncertainty"
# Kept at every segmentation that was painted in.
SEEDS_ATTRIBUTE = "DiffusionSeg.Seeds"
# Kept at the seeds, so that going back to a volume that was painted before finds its region again.
REGION_OF_SEEDS = "DiffusionSeg.BackgroundRegion"
# Kept at a volume while another one is worked on, so that going back to it finds again what was found in it.
FOUND_IN_VOLUME = {
    PREVIEW: "DiffusionSeg.Preview",
    RESULT: "DiffusionSeg.Result",
    UNCERTAINTY: "DiffusionSeg.Uncertainty",
}

# Whether the views show another volume than the chosen one, and which: that may have been deleted since.
VIEWS_LEFT, SHOWN_INSTEAD = "ViewsLeft", "ShownInstead"


class SceneNodes:
    """Volumes, seeds, preview, result, uncertainty and background region of the task.

    Args:
        state: where they are referenced.
    """

    def __init__(self, state: SceneState) -> None:
        self.state = state

    @property
    def seeds(self) -> slicer.vtkMRMLSegmentationNode | None:
        """What the user paints; None before a volume was chosen and after it was deleted."""
        return self.state.referenced(SEEDS)

    @property
    def preview(self) -> slicer.vtkMRMLSegmentationNode | None:
        """What was found, until it is applied."""
        return self.state.referenced(PREVIEW)

    @property
    def result(self) -> slicer.vtkMRMLSegmentationNode | None:
        """Where Apply copies the preview to."""
        return self.state.referenced(RESULT)

    @property
    def uncertainty_volume(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """Where the members of the ensemble disagree, from 0 to 1."""
        return self.state.referenced(UNCERTAINTY)

    @property
    def shown_instead(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The volume that the views show instead of the chosen one; None where they show that."""
        return self.state.referenced(SHOWN_INSTEAD)

    @property
    def uncertainty_in_view(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The same of the volume that the views show; of one without a preview that of its last result."""
        if self.state.value(VIEWS_LEFT, False):
            return None if self.shown_instead is None else uncertainty_of_latest_result(self.shown_instead)
        latest = [uncertainty_of_latest_result(volume) for volume in self._volume_nodes()[:1]]
        return next((node for node in (self.uncertainty_volume, *latest) if node is not None), None)

    @property
    def roi(self) -> slicer.vtkMRMLMarkupsROINode | None:
        """The background region; all outside of it is background."""
        return self.seeds.GetNodeReference(REGION_OF_SEEDS) if self.seeds else None

    @property
    def has_volume(self) -> bool:
        """Whether the chosen volume is still there."""
        return bool(self._volume_nodes())

    def volume(self) -> InputVolume:
        """The chosen volume with its channels.

        Raises:
            DiffusionSegError: if none was chosen, or one of its channels was deleted.
        """
        nodes = self._volume_nodes()
        if not nodes:
            raise DiffusionSegError("There is no input volume.", "Choose a volume first.")
        wanted = self.state.value("ChannelCount", 1)
        if len(nodes) < wanted:
            message = f"Of the {wanted} channels of the scan only {len(nodes)} are left in the scene."
            raise DiffusionSegError(message, "Choose the volumes again.")
        return InputVolume(tuple(nodes))

    def are_of(self, volume: InputVolume) -> bool:
        """Whether the task is about the first channel of this volume, on which everything is painted."""
        return self.state.referenced(VOLUMES) is volume.first

    def painted_seeds(self) -> slicer.vtkMRMLSegmentationNode:
        """The seeds.

        Raises:
            DiffusionSegError: if they were deleted, or never made.
        """
        if self.seeds is None:
            message = "There is no segmentation to paint in."
            raise DiffusionSegError(message, "Choose the volume again: that makes a new one.")
        return self.seeds

    def take(self, volume: InputVolume, seeds: slicer.vtkMRMLSegmentationNode) -> bool:
        """Let the task be about this volume and these seeds.

        What belongs to another volume is hidden and put away until that is taken again. A preview or result that the
        user paints in from now on is none any more: the next one is put elsewhere.

        Returns:
            whether it was about another volume, or other channels of it.
        """
        another = self._volume_nodes() != list(volume.nodes)
        self._take_views_back()
        if another:
            self.put_away()
            for role, node in _found_in(volume.first).items():
                self.state.refer(role, *filter(None, [node]))
        if self.roi is not None and self.seeds is not seeds:
            # Outside of another painting's region nothing is background any more.
            hide(self.roi)
        for role in (PREVIEW, RESULT, UNCERTAINTY):
            if self.state.referenced(role) is seeds:
                self.state.refer(role)
                show_again(seeds, APPLIED_ATTRIBUTE)
        self.state.refer(VOLUMES, *volume.nodes)
        self.state.set_value("ChannelCount", len(volume.nodes))
        self.state.refer(SEEDS, seeds)
        if another:
            self._show_segmentations_of(self._volume_nodes())
        self._show()
        return another

    def put_away(self) -> None:
        """Hide what belongs to the chosen volume, and keep at the volume what was found in it."""
        self._hide()
        for volume in self._volume_nodes()[:1]:
            for role, kept in FOUND_IN_VOLUME.items():
                node = self.state.referenced(role)
                volume.SetNodeReferenceID(kept, node.GetID() if node else None)

    def bring_back(self) -> None:
        """Show again what `put_away` had hidden of the chosen volume, unless the views show another one."""
        if not self.state.value(VIEWS_LEFT, False):
            self._show()

    def show_result(self) -> None:
        """Show the result, if it was hidden because it was another volume's."""
        if self.result is not None:
            show_again(self.result)

    def hide_applied(self) -> None:
        """Let the preview give way to what it was applied to, if that is in view: it would hide every change of it."""
        if self.result.GetDisplayVisibility():
            show_again(self.preview)
            hide(self.preview, APPLIED_ATTRIBUTE)

    def show_applied(self, preview: slicer.vtkMRMLSegmentationNode) -> None:
        """Show a preview again that had given way, at once or with its volume; one that the user hid stays so."""
        show_again(preview, APPLIED_ATTRIBUTE)
        if preview is not self.preview or self.state.value(VIEWS_LEFT, False):
            hide(preview)

    def leave_views(self, shown: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Hide what belongs to the chosen volume as long as the views show this one, unless that is a channel of it."""
        if shown in self._volume_nodes():
            self.return_to_views()
        else:
            self.state.set_value(VIEWS_LEFT, True)
            self.state.refer(SHOWN_INSTEAD, shown)
            self._hide()
            self._show_segmentations_of([shown])

    def return_to_views(self) -> bool:
        """Show again what `leave_views` had hidden; gives whether it had hidden anything."""
        left = self.state.value(VIEWS_LEFT, False)
        if left:
            self._take_views_back()
            self._show_segmentations_of(self._volume_nodes())
            self._show()
        return left

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Whatever is taken meanwhile, the task is then about its own volume again, if it had one."""
        values = {name: self.state.value(name) for name in ("ChannelCount", VIEWS_LEFT)}
        roles = (VOLUMES, SEEDS, PREVIEW, RESULT, UNCERTAINTY, SHOWN_INSTEAD)
        before = {role: self.state.all_referenced(role) for role in roles}
        yield
        if before[VOLUMES]:
            for role, nodes in before.items():
                self.state.refer(role, *nodes)
            for name, value in values.items():
                self.state.set_value(name, value)
            if not values[VIEWS_LEFT]:
                self._show()

    def refer_region(self, region: slicer.vtkMRMLMarkupsROINode) -> None:
        """Let this be the background region of the seeds."""
        self.painted_seeds().SetNodeReferenceID(REGION_OF_SEEDS, region.GetID())

    def _volume_nodes(self) -> list[slicer.vtkMRMLScalarVolumeNode]:
        return self.state.all_referenced(VOLUMES)

    def _take_views_back(self) -> None:
        self.state.set_value(VIEWS_LEFT, None)
        self.state.refer(SHOWN_INSTEAD)

    def _hide(self) -> None:
        if self.result is not None and self.has_volume:
            # One of the user's own, too, is of the volume from now on.
            self.result.SetNodeReferenceID(VOLUME_OF_SEGMENTATION, self._volume_nodes()[0].GetID())
        for node in self._over_image():
            hide(node)

    def _show(self) -> None:
        for node in self._over_image():
            # Of two paintings of a volume, one is perhaps the copy of the other: they would hide each other's changes.
            if node is self.seeds or not node.GetAttribute(SEEDS_ATTRIBUTE):
                show_again(node)

    def _show_segmentations_of(self, shown: list[slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Hide the segmentations of all other volumes, as those that the segmenter was applied to."""
        for node, volume in _volumes_of_segmentations(self.state.scene).items():
            if volume not in shown:
                hide(node)
            elif not node.GetAttribute(SEEDS_ATTRIBUTE):
                show_again(node)

    def _over_image(self) -> list[slicer.vtkMRMLDisplayableNode]:
        segmentations = _volumes_of_segmentations(self.state.scene)
        of_volume = [node for node, volume in segmentations.items() if volume in self._volume_nodes()]
        others = [self.seeds, self.preview, self.result, self.roi]
        return [*of_volume, *(node for node in others if node is not None and node not in of_volume)]


def _volumes_of_segmentations(
    scene: slicer.vtkMRMLScene,
) -> dict[slicer.vtkMRMLSegmentationNode, slicer.vtkMRMLVolumeNode]:
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    found = {node: node.GetNodeReference(VOLUME_OF_SEGMENTATION) for node in nodes}
    return {node: volume for node, volume in found.items() if volume is not None}


def _found_in(volume: slicer.vtkMRMLVolumeNode) -> dict[str, slicer.vtkMRMLNode | None]:
    """By role what was found in a volume that was worked on before, or None."""
    found = {role: volume.GetNodeReference(kept) for role, kept in FOUND_IN_VOLUME.items()}
    of_volume = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    preview, result = found[PREVIEW], found[RESULT]
    # A copy of a volume refers to what was found in that one.
    if preview is None or preview.GetNodeReference(of_volume) is not volume:
        found[PREVIEW] = found[UNCERTAINTY] = None
    if result is not None and result.GetNodeReference(VOLUME_OF_SEGMENTATION) is not volume:
        found[RESULT] = None
    return found
