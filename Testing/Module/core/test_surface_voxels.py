"""What is painted in may have been made of surfaces elsewhere."""

from __future__ import annotations

import pytest
import vtk
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, dice, masks_by_name, rotation_node

from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def surfaces(scene, volume, head):
    """A segmentation that holds nothing but surfaces."""
    node = a_segmentation(scene, {"Caudate": head[1] == 3, "Putamen": head[1] == 7}, VoxelGeometry.of(volume))
    node.CreateClosedSurfaceRepresentation()
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.GetSegmentation().RemoveRepresentation("Binary labelmap")
    return node


@pytest.mark.parametrize("moved", [False, True])
def test_surfaces_are_painted_in_as_voxels_and_stay_surfaces(engine, scene, volume, head, surfaces, moved):
    if moved:
        for node in (surfaces, volume):
            node.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    [told] = engine.set_input([volume], surfaces)
    assert "is its copy on the volume's voxels" in told
    painted = masks_by_name(engine.seeds, volume)
    assert dice(painted["Caudate"], head[1] == 3) > 0.85
    assert dice(painted["Putamen"], head[1] == 7) > 0.85
    assert not surfaces.GetSegmentation().ContainsRepresentation("Binary labelmap")
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


def test_what_cannot_be_turned_into_voxels_is_refused(engine, scene, volume, surfaces):
    contents = surfaces.GetSegmentation()
    for identifier in contents.GetSegmentIDs():
        contents.GetSegment(identifier).AddRepresentation("Planar contour", vtk.vtkPolyData())
    contents.SetSourceRepresentationName("Planar contour")
    contents.RemoveRepresentation("Closed surface")
    with pytest.raises(DiffusionSegError, match="cannot be turned into them"):
        engine.set_input([volume], surfaces)
    assert engine.seeds is None
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
