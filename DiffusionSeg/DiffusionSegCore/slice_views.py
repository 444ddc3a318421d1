"""The slice views in the scene: what they show, and where they jump to."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.voxel_geometry import VoxelGeometry, array_from_matrix, local_to_world

SLICE_NODE = "vtkMRMLSliceNode"


def shown_slice_nodes(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceNode]:
    """The nodes of the slice views of the present layout; of all where no layout says which those are."""
    nodes = nodes_of_class(scene, SLICE_NODE)
    # Views of layouts that were left live on in the scene.
    return [node for node in nodes if node.IsMappedInLayout()] or nodes


def world_centre(volume: slicer.vtkMRMLVolumeNode, axis: int, index: int) -> tuple[float, float, float]:
    """The middle of a slice of the volume in RAS millimetres of the world."""
    local = VoxelGeometry.of(volume).slice_centre(axis, index)
    right, anterior, superior = local_to_world(volume).TransformPoint(local)
    return right, anterior, superior


def show_slice(volume: slicer.vtkMRMLVolumeNode, axis: int, index: int) -> None:
    """Turn all slice views to the volume's own planes and let them jump to the middle of a slice."""
    place = world_centre(volume, axis, index)
    for node in nodes_of_class(volume.GetScene(), SLICE_NODE):
        # Painted slices are planes of voxels: in a view along other planes a one-slice brush would smear over several.
        node.RotateToVolumePlane(volume)
        node.JumpSliceByOffsetting(*place)


def shown_slices(volume: slicer.vtkMRMLVolumeNode) -> list[tuple[int, int]]:
    """Axis and index of the volume's slices closest to those that the views show, each once."""
    geometry = VoxelGeometry.of(volume)
    to_volume = local_to_world(volume).GetInverse()
    found = []
    for node in shown_slice_nodes(volume.GetScene()):
        plane = array_from_matrix(node.GetSliceToRAS())
        middle = np.asarray(to_volume.TransformPoint(plane[:3, 3]))
        ahead = np.asarray(to_volume.TransformPoint(plane[:3, 3] + plane[:3, 2]))
        axis = int(np.argmax(np.abs((geometry.affine[:3, :3] / geometry.spacing).T @ (ahead - middle))))
        index = round(float(geometry.ijk(middle[None])[0, axis]))
        if 0 <= index < geometry.shape[axis] and (axis, index) not in found:
            found.append((axis, index))
    return found
