"""The user's own segmentation, which Apply copies to."""

from __future__ import annotations

import slicer

from DiffusionSegCore.annotation_slices import COMPLETE, read_slices
from DiffusionSegCore.oriented_images import transform_between
from DiffusionSegCore.scene_nodes import SceneNodes
from DiffusionSegCore.segment_voxels import BINARY_LABELMAP
from DiffusionSegLib.errors import DiffusionSegError


def check_takes_results(node: slicer.vtkMRMLSegmentationNode, nodes: SceneNodes) -> None:
    """Make sure that what is found in the task's volume may replace what this segmentation holds.

    One that was chosen to paint in by mistake may take it once another one is painted in.

    Raises:
        DiffusionSegError: if it is the preview or what is painted in, or has complete slices of an earlier painting, or
            holds something of another volume.
    """
    if node in (nodes.preview, nodes.seeds) or any(found.state == COMPLETE for found in read_slices(node)):
        message = f"{node.GetName()} holds the painting or the preview."
        raise DiffusionSegError(message, "Choose another segmentation for the result, or a new one.")
    volume, other = nodes.volume(), _reference_volume(node)
    if node.GetSegmentation().GetNumberOfSegments() and other is not None and other not in volume.nodes:
        message = f"{node.GetName()} belongs to {other.GetName()}, not to {volume.first.GetName()}."
        raise DiffusionSegError(message, "Choose None for a new segmentation, or one of this volume.")


def make_ready(node: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> None:
    """Let a segmentation take what was found in the volume, and be seen.

    An empty one is put under the volume's transform. One that a selector has made is not shown by itself.

    Raises:
        DiffusionSegError: if it is not made of voxels, or lies under another transform.
    """
    _check_made_of_voxels(node)
    _put_under_transform_of(volume, node)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    if _reference_volume(node) is None and not node.GetSegmentation().GetNumberOfSegments():
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)


def _reference_volume(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLNode | None:
    return node.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())


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
