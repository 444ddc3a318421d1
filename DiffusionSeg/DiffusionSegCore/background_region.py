"""The box outside of which everything is background: a markups ROI in the scene, ranges of voxels to the worker."""

from __future__ import annotations

import itertools

import numpy as np
import slicer
import vtk

from DiffusionSegCore.node_placement import place_beside
from DiffusionSegCore.node_visibility import wanted_in_views
from DiffusionSegCore.voxel_geometry import VoxelGeometry, array_from_matrix, local_to_world, matrix_from_array
from DiffusionSegLib.errors import DiffusionSegError

# Rounding errors of matrices must not move a face past a voxel's centre.
TOLERANCE_VOXELS = 1e-3


def box_around(painted: np.ndarray, geometry: VoxelGeometry, margin_mm: float) -> list[list[int]]:
    """First and one-past-last voxel along I, J, K of all that is painted, and a margin about it within the volume.

    Raises:
        DiffusionSegError: if nothing is painted.
    """
    if not painted.any():
        raise DiffusionSegError("Nothing is painted yet.", "Paint a slice, then fit the background region to it.")
    box = []
    for axis, size in enumerate(geometry.shape):
        others = tuple(other for other in range(3) if other != axis)
        indices = np.flatnonzero(painted.any(axis=others))
        margin = int(np.ceil(margin_mm / geometry.spacing[axis]))
        box.append([max(int(indices[0]) - margin, 0), min(int(indices[-1]) + 1 + margin, size)])
    return box


def new_region(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLMarkupsROINode:
    """A region of no size for the volume."""
    scene = volume.GetScene()
    name = scene.GenerateUniqueName(f"{volume.GetName()} background region")
    region = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
    region.CreateDefaultDisplayNodes()
    display = region.GetDisplayNode()
    if display is not None:
        # A filled box would hide the slice that is painted on.
        display.SetFillVisibility(False)
        display.SetPropertiesLabelVisibility(False)
    place_beside(region, volume)
    return region


def region_like(
    region: slicer.vtkMRMLMarkupsROINode, volume: slicer.vtkMRMLVolumeNode
) -> slicer.vtkMRMLMarkupsROINode | None:
    """Another region for the same voxels of the volume, as visible as the first; None if there are no such voxels."""
    try:
        box = box_of(region, volume)
    except DiffusionSegError:
        return None
    copy = new_region(volume)
    set_box(copy, box, VoxelGeometry.of(volume))
    copy.SetDisplayVisibility(wanted_in_views(region))
    return copy


def set_box(region: slicer.vtkMRMLMarkupsROINode, box: list[list[int]], geometry: VoxelGeometry) -> None:
    """Let the region's faces be the outer faces of the box's voxels, along the volume's own axes."""
    low, high = (np.array([edges[side] for edges in box]) - 0.5 for side in (0, 1))
    axes = geometry.affine[:3, :3] / geometry.spacing
    if np.linalg.det(axes) < 0:
        # A box is the same with its third axis reversed, but only then are its axes a rotation.
        axes = axes * [1, 1, -1]
    object_to_node = np.eye(4)
    object_to_node[:3, :3] = axes
    object_to_node[:3, 3] = geometry.ras(((low + high) / 2)[None])[0]
    modifying = region.StartModify()
    region.SetROIType(slicer.vtkMRMLMarkupsROINode.ROITypeBox)
    region.SetAndObserveObjectToNodeMatrix(matrix_from_array(object_to_node))
    region.SetSize(*((high - low) * geometry.spacing))
    region.EndModify(modifying)


def box_of(region: slicer.vtkMRMLMarkupsROINode, volume: slicer.vtkMRMLVolumeNode) -> list[list[int]]:
    """First and one-past-last voxel along I, J, K of the voxels whose centres the region encloses.

    For a region that was turned by hand this is the smallest box of voxels around it.

    Raises:
        DiffusionSegError: if the region encloses no voxel of the volume.
    """
    geometry = VoxelGeometry.of(volume)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(region.GetObjectToNodeMatrix())
    half = np.asarray(region.GetSize()) / 2
    corners = np.asarray(list(itertools.product((-1, 1), repeat=3))) * half
    local = corners @ array_from_matrix(matrix)[:3, :3].T + array_from_matrix(matrix)[:3, 3]
    to_world, from_world = local_to_world(region), local_to_world(volume).GetInverse()
    places = [from_world.TransformPoint(to_world.TransformPoint(point)) for point in local]
    ijk = geometry.ijk(np.asarray(places))
    low = np.ceil(ijk.min(0) - TOLERANCE_VOXELS).astype(int).clip(0)
    high = np.minimum(np.floor(ijk.max(0) + TOLERANCE_VOXELS).astype(int) + 1, geometry.shape)
    if (low >= high).any():
        message = "The background region encloses no voxel of the volume."
        raise DiffusionSegError(message, "Fit it to the painting again, or drag it over the structures.")
    return [[int(first), int(last)] for first, last in zip(low, high, strict=True)]
