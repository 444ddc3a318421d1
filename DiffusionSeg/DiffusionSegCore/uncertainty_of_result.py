"""The map of uncertainty of a volume that the segmenter was applied to."""

from __future__ import annotations

import slicer

from DiffusionSegCore.input_volume import UNCERTAINTY_ATTRIBUTE
from DiffusionSegCore.node_placement import VOLUME_OF_SEGMENTATION
from DiffusionSegCore.nodes_of_class import nodes_of_class

# Kept at the segmentation of such a volume.
UNCERTAINTY_OF_RESULT = "DiffusionSeg.Uncertainty"
# Kept at the map, which may outlive its result.
VOLUME_OF_MAP = "DiffusionSeg.Volume"


def keep_uncertainty(
    result: slicer.vtkMRMLSegmentationNode,
    uncertainty: slicer.vtkMRMLScalarVolumeNode,
    volume: slicer.vtkMRMLVolumeNode,
) -> None:
    """Keep with a result of a volume where it is unsure."""
    result.SetNodeReferenceID(UNCERTAINTY_OF_RESULT, uncertainty.GetID())
    uncertainty.SetNodeReferenceID(VOLUME_OF_MAP, volume.GetID())


def maps_without_result(volume: slicer.vtkMRMLVolumeNode) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The maps of this volume whose results were deleted."""
    scene = volume.GetScene()
    results = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    wanted = [node.GetNodeReference(UNCERTAINTY_OF_RESULT) for node in results]
    maps = [
        node
        for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode")
        if node.GetAttribute(UNCERTAINTY_ATTRIBUTE) and node.GetNodeReference(VOLUME_OF_MAP) is volume
    ]
    return [node for node in maps if node not in wanted]


def uncertainty_of_latest_result(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Where the last result of this volume is unsure; None if there is none, or no map of one."""
    results = nodes_of_class(volume.GetScene(), "vtkMRMLSegmentationNode")
    of_volume = [node for node in results if node.GetNodeReference(VOLUME_OF_SEGMENTATION) is volume]
    maps = [node.GetNodeReference(UNCERTAINTY_OF_RESULT) for node in of_volume]
    return next((node for node in reversed(maps) if node is not None), None)
