"""New nodes put where the user looks for them, under the volume's transform and beside it, and taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    from DiffusionSegCore.voxel_geometry import VoxelGeometry


# Kept at every segmentation that is of one volume alone: out of sight while another one is worked on.
VOLUME_OF_SEGMENTATION = "DiffusionSeg.Volume"


def place_beside(node: slicer.vtkMRMLTransformableNode, volume: slicer.vtkMRMLVolumeNode) -> None:
    """Give a node the volume's parent transform and its place in the subject hierarchy."""
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volume.GetScene())
    item, beside = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(volume)
    if item and beside:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(beside))


def new_segmentation(volume: slicer.vtkMRMLVolumeNode, name: str) -> slicer.vtkMRMLSegmentationNode:
    """An empty segmentation that is edited on exactly the volume's voxels."""
    scene = volume.GetScene()
    # Slicer's own unique names count on where a node of that name was removed.
    free = scene.GetFirstNodeByName(name) is None
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name if free else scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetNodeReferenceID(VOLUME_OF_SEGMENTATION, volume.GetID())
    place_beside(node, volume)
    return node


def new_scalar_volume(volume: slicer.vtkMRMLVolumeNode, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume node that lies where `volume` does and has no voxels yet."""
    scene = volume.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    place_beside(node, volume)
    return node


def remove_whole(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Take a node out of its scene, and what says how it is displayed and stored, which would stay there alone."""
    scene = node.GetScene()
    displays = [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    for part in filter(None, (*displays, node.GetStorageNode(), node)):
        scene.RemoveNode(part)


def lie_at(node: slicer.vtkMRMLVolumeNode, geometry: VoxelGeometry) -> None:
    """Let a volume node's voxels lie at `geometry`."""
    node.SetIJKToRASMatrix(geometry.matrix)
