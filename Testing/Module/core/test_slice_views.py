"""What the slice views show."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import an_affine, an_oblique_rotation, axis_orders
from DiffusionSegCore.slice_views import world_centre
from DiffusionSegCore.voxel_geometry import VoxelGeometry, array_from_matrix, local_to_world
from Module.mrml import a_volume_node, rotation_node

SPACING = (0.8, 1.1, 2.0)
AFFINES = {f"order {number}": an_affine(order, SPACING) for number, order in enumerate(axis_orders())}
AFFINES["oblique"] = an_affine(an_oblique_rotation(), SPACING)
AFFINES["oblique, left-handed"] = an_affine(an_oblique_rotation() @ np.diag([1, 1, -1]), SPACING)


@pytest.fixture
def views(scene):
    nodes = []
    for name in ("Red", "Yellow", "Green"):
        node = scene.CreateNodeByClass("vtkMRMLSliceNode")
        node.UnRegister(None)
        node.SetName(name)
        node.SetLayoutName(name)
        node.SetDefaultOrientation({"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}[name])
        node.SetOrientation({"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}[name])
        nodes.append(scene.AddNode(node))
    return nodes


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_all_views_turn_to_the_volumes_planes_and_meet_in_the_slice(engine, scene, views, head, affine, moved):
    volume = a_volume_node(scene, head[0], affine)
    if moved:
        volume.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    engine.set_input([volume])
    engine.show_slice(1, 7)
    centre = np.asarray(world_centre(volume, 1, 7))
    geometry = VoxelGeometry.of(volume)
    assert np.allclose(local_to_world(volume).GetInverse().TransformPoint(centre), geometry.slice_centre(1, 7))
    directions = geometry.affine[:3, :3] / geometry.spacing
    if not moved:
        for view in views:
            normal = array_from_matrix(view.GetSliceToRAS())[:3, 2]
            assert np.isclose(np.abs(directions.T @ normal).max(), 1, atol=1e-4)
            assert abs((centre - array_from_matrix(view.GetSliceToRAS())[:3, 3]) @ normal) < 1e-3
    shown = dict(engine.shown_slices())
    assert sorted(shown) == [0, 1, 2]
    assert abs(shown[1] - 7) <= 0
    middles = [(size - 1) / 2 for size in geometry.shape]
    assert abs(shown[0] - middles[0]) <= 0.5
    assert abs(shown[2] - middles[2]) <= 0.5


def test_the_slices_in_the_views_are_previewed_when_none_are_named(painted_engine, views):
    painted_engine.show_slice(2, 10)
    painted_engine.finish_training(painted_engine.start_training())
    work = painted_engine.start_preview()
    assert (2, 10) in work.slices
    assert len(work.slices) == 3
    painted_engine.finish_preview(work)


def test_views_of_a_layout_that_was_left_are_not_previewed(engine, volume, views):
    engine.set_input([volume])
    engine.show_slice(1, 7)
    views[0].SetMappedInLayout(1)
    assert len(engine.shown_slices()) == 1


def test_the_uncertainty_is_laid_over_the_image_and_taken_away(predicted_engine, scene):
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    predicted_engine.show_uncertainty(0.4)
    assert composite.GetForegroundVolumeID() == predicted_engine.uncertainty_volume.GetID()
    assert 0 < composite.GetForegroundOpacity() < 1
    predicted_engine.show_uncertainty(0.0)
    assert not composite.GetForegroundVolumeID()


def test_what_the_user_laid_over_the_image_stays(predicted_engine, scene, volume):
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetForegroundVolumeID(volume.GetID())
    composite.SetForegroundOpacity(0.3)
    predicted_engine.show_uncertainty(0.0)
    assert composite.GetForegroundVolumeID() == volume.GetID()
    assert composite.GetForegroundOpacity() == 0.3


def test_what_the_user_had_laid_over_the_image_comes_back_once_the_uncertainty_is_taken_away(
    predicted_engine, scene, volume
):
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetForegroundVolumeID(volume.GetID())
    composite.SetForegroundOpacity(0.3)
    for opacity in (0.2, 0.7, 0.0):
        predicted_engine.show_uncertainty(opacity)
    assert (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()) == (volume.GetID(), 0.3)
    predicted_engine.show_uncertainty(0.7)
    composite.SetForegroundVolumeID(None)
    predicted_engine.show_uncertainty(0.7)
    predicted_engine.show_uncertainty(0)
    assert not composite.GetForegroundVolumeID()
