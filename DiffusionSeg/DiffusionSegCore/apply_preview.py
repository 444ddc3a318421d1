"""From the preview into the user's own segmentation, with one step back."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.applied_segments import Claim, targets_for, was_applied_to
from DiffusionSegCore.oriented_images import cropped_image
from DiffusionSegCore.segment_copies import SegmentCopy, copies_of
from DiffusionSegCore.segment_labels import dress, labels_of
from DiffusionSegCore.segment_voxels import segment_mask
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
            mode says.
        volume: whose voxels both are edited on.
        overwrite: whether other segments lose the voxels that are applied: "all" of them, "visible" ones or "none".

    Raises:
        DiffusionSegError: if the mode is none of these.
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
        self.preview, self.target = preview, target
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
                found = preview.GetSegmentation().GetSegment(identifier)
                mask = segment_mask(preview, identifier, volume)
                replaced = targets.get(identifier)
                earlier = None if replaced is None else target.GetSegmentation().GetSegment(replaced)
                # Found nowhere, as structures of other patients may be: what the user drew of it is not taken away.
                if not mask.any() and (earlier is None or not was_applied_to(found, earlier)):
                    continue
                replaced = replaced or _new_segment(target, label)
                self._replace(editor, replaced, mask, before.get(replaced))
                self._claims[replaced] = Claim.of(target.GetSegmentation().GetSegment(replaced), found)
        finally:
            editor.SetSegmentEditorNode(None)
            scene.RemoveNode(settings)
        now = copies_of(target)
        # Of each segment that became another: what it was, None for one that was added, and what it is now.
        self._changed = {
            identifier: (before.get(identifier), after)
            for identifier, after in now.items()
            if identifier not in before or not after.holds_the_same(before[identifier])
        }
        self._drawn = [
            before[identifier].name
            for identifier, claim in self._claims.items()
            if identifier in before and identifier in self._changed and claim.was_drawn(before[identifier])
        ]
        for identifier, claim in self._claims.items():
            claim.note(now[identifier])

    @property
    def changed_anything(self) -> bool:
        """Whether there is anything to undo."""
        return bool(self._changed) or any(claim.renamed for claim in self._claims.values())

    @property
    def edits_replaced(self) -> tuple[str, ...]:
        """Names of the segments that were replaced though they were not as an earlier Apply had left them."""
        return tuple(self._drawn)

    @property
    def voxels_taken(self) -> tuple[str, ...]:
        """Names of other segments that lost voxels to what was applied."""
        return tuple(after.name for name, (_, after) in self._changed.items() if name not in self._claims)

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
        self, editor: slicer.vtkSlicerSegmentEditorLogic, identifier: str, mask: np.ndarray, before: SegmentCopy | None
    ) -> None:
        editor.GetSegmentEditorNode().SetSelectedSegmentID(identifier)
        editor.SetCurrentSegmentID(identifier)
        geometry = VoxelGeometry.of(editor.GetSegmentEditorNode().GetSourceVolumeNode())
        # Slicer takes its time for each voxel of what is applied: around a structure there is mostly air.
        modifier, mode = cropped_image(mask, geometry), editor.ModificationModeSet
        beyond = None if before is None else before.beyond(geometry)
        if beyond is not None:
            # The volume was cropped: nothing was found out about what lies beyond it.
            beyond.write_to(self.target, identifier)
            mode = editor.ModificationModeAdd
        editor.ModifySegmentByLabelmap(self.target, identifier, modifier, mode, False, False)


def _new_segment(target: slicer.vtkMRMLSegmentationNode, label: Label) -> str:
    contents = target.GetSegmentation()
    identifier = contents.AddEmptySegment(contents.GenerateUniqueSegmentID(label.name), label.name)
    dress(contents.GetSegment(identifier), label)
    return identifier
