"""How the map of uncertainty looks."""

from __future__ import annotations

import numpy as np
import slicer

from DiffusionSegCore.input_volume import UNCERTAINTY_ATTRIBUTE
from DiffusionSegCore.node_placement import lie_at, new_scalar_volume
from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.voxel_geometry import VoxelGeometry

COLORS_NAME = "DiffusionSeg uncertainty"
COLOR_COUNT = 256
# Below this share of the range the image shows through undisturbed.
TRANSPARENT_SHARE = 0.08
LARGEST_OPACITY = 0.75
# The window ends where all but the few most uncertain of the uncertain voxels lie, yet never so low that the noise of
# an ensemble that agrees would fill the colour range.
WINDOW_PERCENTILE = 99.0
LEAST_WINDOW = 0.1
# Kept at a slice view's layers while the uncertainty lies over the image: what lay there before, and how opaque.
FOREGROUND_BEFORE, OPACITY_BEFORE = "DiffusionSeg.ForegroundBefore", "DiffusionSeg.ForegroundOpacityBefore"

# From dark violet to pale yellow with evenly rising lightness: read without a legend, and by the colour-blind.
STOPS = np.array([[0.24, 0.04, 0.38], [0.58, 0.15, 0.40], [0.87, 0.32, 0.23], [0.98, 0.65, 0.04], [0.99, 1.0, 0.64]])


def new_uncertainty_volume(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume node for the uncertainty of what was found in `volume`, with its display."""
    node = new_scalar_volume(volume, f"{volume.GetName()} uncertainty")
    node.SetAttribute(UNCERTAINTY_ATTRIBUTE, "1")
    display = node.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
    node.SetAndObserveDisplayNodeID(display.GetID())
    display.SetAndObserveColorNodeID(_colors(node.GetScene()).GetID())
    display.SetInterpolate(True)
    return node


def show_map(node: slicer.vtkMRMLScalarVolumeNode, uncertainty: np.ndarray, geometry: VoxelGeometry) -> None:
    """Let the volume node show these uncertainties, from 0 to 1 (I, J, K), on these voxels."""
    lie_at(node, geometry)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(uncertainty.transpose(2, 1, 0), np.float32))
    set_window(node, uncertainty)


def set_window(node: slicer.vtkMRMLScalarVolumeNode, uncertainty: np.ndarray) -> None:
    """Spread the colours over the uncertainties that occur: from 0 to nearly the largest.

    Args:
        node: the volume that shows them.
        uncertainty: from 0 to 1, any shape.
    """
    uncertain = uncertainty[uncertainty > 0.01]
    largest = float(np.percentile(uncertain, WINDOW_PERCENTILE)) if uncertain.size else 0.0
    display = node.GetDisplayNode()
    if display is None:
        return
    modifying = display.StartModify()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, max(largest, LEAST_WINDOW))
    display.EndModify(modifying)


def show_over_image(node: slicer.vtkMRMLScalarVolumeNode, opacity: float) -> None:
    """Lay the uncertainty over the image in all slice views, opacity 0 to 1, in place of another map of uncertainty."""
    for composite in nodes_of_class(node.GetScene(), "vtkMRMLSliceCompositeNode"):
        if not _shows_map(composite):
            _keep_foreground(composite)
        composite.SetForegroundVolumeID(node.GetID())
        composite.SetForegroundOpacity(opacity)


def take_off_image(scene: slicer.vtkMRMLScene) -> None:
    """Bring back what had lain over the image before a map of uncertainty, in all slice views that show one."""
    for composite in nodes_of_class(scene, "vtkMRMLSliceCompositeNode"):
        if _shows_map(composite):
            _bring_foreground_back(composite)


def _shows_map(composite: slicer.vtkMRMLSliceCompositeNode) -> bool:
    node = composite.GetScene().GetNodeByID(composite.GetForegroundVolumeID() or "")
    return node is not None and node.GetAttribute(UNCERTAINTY_ATTRIBUTE) is not None


def _keep_foreground(composite: slicer.vtkMRMLSliceCompositeNode) -> None:
    composite.SetNodeReferenceID(FOREGROUND_BEFORE, composite.GetForegroundVolumeID())
    composite.SetAttribute(OPACITY_BEFORE, repr(composite.GetForegroundOpacity()))


def _bring_foreground_back(composite: slicer.vtkMRMLSliceCompositeNode) -> None:
    # None where nothing lay there, or it was deleted meanwhile.
    before = composite.GetNodeReference(FOREGROUND_BEFORE)
    composite.SetForegroundVolumeID(before.GetID() if before else None)
    if before is not None:
        composite.SetForegroundOpacity(float(composite.GetAttribute(OPACITY_BEFORE)))
    composite.RemoveNodeReferenceIDs(FOREGROUND_BEFORE)
    composite.RemoveAttribute(OPACITY_BEFORE)


def _colors(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    for node in nodes_of_class(scene, "vtkMRMLColorTableNode"):
        if node.GetName() == COLORS_NAME and node.GetNumberOfColors() == COLOR_COUNT:
            return node
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", COLORS_NAME)
    node.SetTypeToUser()
    node.SetNumberOfColors(COLOR_COUNT)
    node.SetHideFromEditors(False)
    positions = np.linspace(0, 1, len(STOPS))
    for index, share in enumerate(np.linspace(0, 1, COLOR_COUNT)):
        color = [np.interp(share, positions, STOPS[:, part]) for part in range(3)]
        opacity = np.clip((share - TRANSPARENT_SHARE) / (0.5 - TRANSPARENT_SHARE), 0, 1) * LARGEST_OPACITY
        node.SetColor(index, f"{share:.2f}", *map(float, color), float(opacity))
    return node
