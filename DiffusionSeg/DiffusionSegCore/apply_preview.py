"""From the preview into the user's own segmentation, with one step back."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.applied_segments import Claim, targets_for
from DiffusionSegCore.oriented_images import cropped_image, transform_between
from DiffusionSegCore.segment_copies import copies_of
from DiffusionSegCore.segment_labels import dress, labels_of
from DiffusionSegCore.segment_voxels import BINARY_LABELMAP, segment_mask
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

OVERWRITE_MODES = {
    "all": slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments,
    "visible": slicer.vtkMRMLSegmentEditorNode.OverwriteVisibleSegments,
    "none": slicer.vtkMRMLSegmentEditorNode.OverwriteNone,
}


class AppliedPreview:
    """One Apply: made by constructing it, taken back by `undo`.

    Args:
        preview: what to copy.
        target: where to; what was applied before, and segments of the same names, are replaced, the others stay as the
            mode says. One without segments is put under the volume's transform.
        volume: whose voxels both are edited on.
        overwrite: whether other segments lose the voxels that are applied: "all" of them, "visible" ones or "none".

    Raises:
        DiffusionSegError: if the mode is none of these, or the target is not made of voxels, or lies elsewhere.
    """

    def __init__(
        self,
        preview: slicer.vtkMRMLSegmentationNode,
        target: slicer.vtkMRMLSegmentationNode,
        volume: slicer.vtkMRMLVolumeNode,
        overwrite: str,
    ) -> None:
        if overwrite not in OVERWRITE_MODES:
            raise DiffusionSegError(f"There is no overwrite mode {overwrite}.", "Choose all, visible or none.")
        _check_made_of_voxels(target)
        _put_under_transform_of(volume, target)
        self.target = target
        before = copies_of(target)
        scene = volume.GetScene()
        settings = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        settings.SetOverwriteMode(OVERWRITE_MODES[overwrite])
        editor = slicer.vtkSlicerSegmentEditorLogic()
        editor.SetMRMLScene(scene)
        editor.SetSegmentEditorNode(settings)
        editor.SetSegmentationNode(target)
        editor.SetSourceVolumeNode(volume)
        self._claims: dict[str, Claim] = {}
        targets = targets_for(preview.GetSegmentation(), target.GetSegmentation())
        try:
            for identifier, label in labels_of(preview).items():
                replaced = targets.get(identifier) or _new_segment(target, label)
                self._replace(editor, replaced, segment_mask(preview, identifier, volume), volume)
                segment = target.GetSegmentation().GetSegment(replaced)
                self._claims[replaced] = Claim.of(segment, preview.GetSegmentation().GetSegment(identifier))
        finally:
            editor.SetSegmentEditorNode(None)
            scene.RemoveNode(settings)
        # Of each segment that became another: what it was, None for one that was added, and what it is now.
        self._changed = {
            identifier: (before.get(identifier), after)
            for identifier, after in copies_of(target).items()
            if identifier not in before or not after.holds_the_same(before[identifier])
        }

    def undo(self) -> list[str]:
        """Make the segments that were changed what they were; those that were edited since then stay as they are.

        Slicer's own history of a segmentation would also take back what was edited after it, in any segment.

        Returns:
            what the user should know, one sentence each.

        Raises:
            DiffusionSegError: if the target was deleted meanwhile.
        """
        if self.target.GetScene() is None:
            raise DiffusionSegError("The segmentation was deleted, there is nothing to undo.", "")
        now = copies_of(self.target)
        untouched = {
            name for name, (_, after) in self._changed.items() if name in now and after.holds_the_same(now[name])
        }
        for identifier, (before, _) in self._changed.items():
            if identifier in untouched and before is None:
                self.target.GetSegmentation().RemoveSegment(identifier)
            elif identifier in untouched:
                before.write_to(self.target, identifier)
        edited = {name: after.name for name, (_, after) in self._changed.items() if name not in untouched}
        for identifier, claim in self._claims.items():
            if identifier not in edited:
                claim.give_back()
        return [f"Edited since Apply and left as it is: {', '.join(edited.values())}."] if edited else []

    def _replace(
        self,
        editor: slicer.vtkSlicerSegmentEditorLogic,
        identifier: str,
        mask: np.ndarray,
        volume: slicer.vtkMRMLVolumeNode,
    ) -> None:
        editor.GetSegmentEditorNode().SetSelectedSegmentID(identifier)
        editor.SetCurrentSegmentID(identifier)
        # Slicer takes its time for each voxel of what is applied: around a structure there is mostly air.
        modifier = cropped_image(mask, VoxelGeometry.of(volume))
        editor.ModifySegmentByLabelmap(self.target, identifier, modifier, editor.ModificationModeSet, False, False)


def _check_made_of_voxels(target: slicer.vtkMRMLSegmentationNode) -> None:
    contents = target.GetSegmentation()
    if contents.GetNumberOfSegments() and contents.GetSourceRepresentationName() != BINARY_LABELMAP:
        message = f"{target.GetName()} is not made of voxels but of a {contents.GetSourceRepresentationName().lower()}."
        hint = "Choose None for a new segmentation, or make Binary labelmap its source in the module Segmentations."
        raise DiffusionSegError(message, hint)


def _put_under_transform_of(volume: slicer.vtkMRMLVolumeNode, target: slicer.vtkMRMLSegmentationNode) -> None:
    # The editor's logic writes local voxels: under another transform they would lie elsewhere in the world.
    if transform_between(target, volume) is None:
        return
    if target.GetSegmentation().GetNumberOfSegments():
        message = f"{target.GetName()} is under another transform than {volume.GetName()}."
        hint = "Put both under the same transform, or choose None for a new segmentation."
        raise DiffusionSegError(message, hint)
    target.SetAndObserveTransformNodeID(volume.GetTransformNodeID())


def _new_segment(target: slicer.vtkMRMLSegmentationNode, label: Label) -> str:
    contents = target.GetSegmentation()
    identifier = contents.AddEmptySegment(contents.GenerateUniqueSegmentID(label.name), label.name)
    dress(contents.GetSegment(identifier), label)
    return identifier
