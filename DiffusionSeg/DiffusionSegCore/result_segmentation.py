"""The user's own segmentation, which Apply copies to."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.annotation_slices import COMPLETE, read_slices
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.oriented_images import transform_between
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS, SEEDS_ATTRIBUTE, SceneNodes
from DiffusionSegCore.segment_voxels import BINARY_LABELMAP, lies_on_voxels, painted_labels
from DiffusionSegLib.errors import DiffusionSegError

# A painting lies on the slices of its list, a finished segmentation that was chosen to paint in between them, too.
SHARE_OF_PAINTING = 0.5


def check_takes_results(node: slicer.vtkMRMLSegmentationNode, nodes: SceneNodes) -> None:
    """Make sure that what is found in the task's volume may replace what this segmentation holds.

    One that was chosen to paint in by mistake may take it once another one is painted in.

    Raises:
        DiffusionSegError: if it is the preview, what is painted in or an earlier painting, or holds what belongs to
            another volume.
    """
    volume = nodes.volume()
    if node in (nodes.preview, nodes.seeds) or _is_painting(node, volume):
        message = f"{node.GetName()} holds the painting or the preview."
        raise DiffusionSegError(message, "Choose another segmentation for the result, or a new one.")
    other = _reference_volume(node)
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


def _is_painting(node: slicer.vtkMRMLSegmentationNode, volume: InputVolume) -> bool:
    if any(found.state == COMPLETE for found in read_slices(node)):
        return True
    # What has taken a result once is no painting any more, whatever slices were listed for it before.
    if not node.GetAttribute(SEEDS_ATTRIBUTE):
        return False
    return node.GetNodeReference(REGION_OF_SEEDS) is not None or _lies_on_its_slices(node, volume)


def _lies_on_its_slices(node: slicer.vtkMRMLSegmentationNode, volume: InputVolume) -> bool:
    slices = read_slices(node, volume.geometry, lambda: lies_on_voxels(node, volume.first))
    on_slices = np.zeros(volume.geometry.shape, bool)
    for found in slices:
        if found.is_of(volume.geometry):
            np.moveaxis(on_slices, found.axis, 0)[found.index] = True
    painted = painted_labels(node, volume.first) > 0 if slices else on_slices
    return bool(painted.any()) and painted[on_slices].sum() > SHARE_OF_PAINTING * painted.sum()


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
