"""The map of uncertainty of a volume that the segmenter was applied to."""

from __future__ import annotations

import slicer

from DiffusionSegCore.node_placement import VOLUME_OF_SEGMENTATION
from DiffusionSegCore.nodes_of_class import nodes_of_class

# Kept at the segmentation of such a volume.
UNCERTAINTY_OF_RESULT = "DiffusionSeg.Uncertainty"


def keep_uncertainty(result: slicer.vtkMRMLSegmentationNode, uncertainty: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Keep with a result where it is unsure."""
    result.SetNodeReferenceID(UNCERTAINTY_OF_RESULT, uncertainty.GetID())


def uncertainty_of_latest_result(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Where the last result of this volume is unsure; None if there is none, or no map of one."""
    results = nodes_of_class(volume.GetScene(), "vtkMRMLSegmentationNode")
    of_volume = [node for node in results if node.GetNodeReference(VOLUME_OF_SEGMENTATION) is volume]
    maps = [node.GetNodeReference(UNCERTAINTY_OF_RESULT) for node in of_volume]
    return next((node for node in reversed(maps) if node is not None), None)
