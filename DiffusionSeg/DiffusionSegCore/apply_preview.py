"""From the preview into the user's own segmentation, with one step back."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.oriented_images import cropped_image
from DiffusionSegCore.segment_labels import VALUE_TAG, dress, labels_of, tag
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
        target: where to; its segments of the same names are replaced, the others stay as the mode says.
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
        self.target = target
        self._history = slicer.vtkSegmentationHistory()
        self._history.SetSegmentation(target.GetSegmentation())
        self._history.SaveState()
        scene = volume.GetScene()
        settings = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        settings.SetOverwriteMode(OVERWRITE_MODES[overwrite])
        editor = slicer.vtkSlicerSegmentEditorLogic()
        editor.SetMRMLScene(scene)
        editor.SetSegmentEditorNode(settings)
        editor.SetSegmentationNode(target)
        editor.SetSourceVolumeNode(volume)
        try:
            for identifier, label in labels_of(preview).items():
                self._replace(editor, label, segment_mask(preview, identifier, volume), volume)
        finally:
            editor.SetSegmentEditorNode(None)
            scene.RemoveNode(settings)

    def undo(self) -> None:
        """Make the target what it was before.

        Raises:
            DiffusionSegError: if the target was deleted meanwhile.
        """
        if self.target.GetScene() is None:
            raise DiffusionSegError("The segmentation was deleted, there is nothing to undo.", "")
        self._history.RestorePreviousState()

    def _replace(
        self,
        editor: slicer.vtkSlicerSegmentEditorLogic,
        label: Label,
        mask: np.ndarray,
        volume: slicer.vtkMRMLVolumeNode,
    ) -> None:
        identifier = _segment_for(self.target, label)
        editor.GetSegmentEditorNode().SetSelectedSegmentID(identifier)
        editor.SetCurrentSegmentID(identifier)
        # Slicer takes its time for each voxel of what is applied: around a structure there is mostly air.
        modifier = cropped_image(mask, VoxelGeometry.of(volume))
        editor.ModifySegmentByLabelmap(self.target, identifier, modifier, editor.ModificationModeSet, False, False)


def _segment_for(target: slicer.vtkMRMLSegmentationNode, label: Label) -> str:
    contents = target.GetSegmentation()
    named = contents.GetSegmentIdBySegmentName(label.name)
    if named:
        return named
    for identifier in contents.GetSegmentIDs():
        if tag(contents.GetSegment(identifier), VALUE_TAG) == str(label.value):
            return identifier
    identifier = contents.AddEmptySegment(contents.GenerateUniqueSegmentID(label.name), label.name)
    dress(contents.GetSegment(identifier), label)
    return identifier
