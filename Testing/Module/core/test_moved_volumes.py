"""The volume, or what is painted on it, was put under another transform, taken out of one, or hardened."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from conftest import an_affine
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, a_volume_node, add_segment, paint, rotation_node

from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def transform(scene):
    return rotation_node(scene)


@pytest.fixture
def other(scene, head):
    """Another patient's scan."""
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")


def put_under(transform, *nodes):
    for node in nodes:
        node.SetAndObserveTransformNodeID(transform.GetID() if transform else None)


def told(engine, client):
    """What the worker hears of the painting."""
    engine.finish_training(engine.start_training())
    return client.annotated, client.painted


@pytest.mark.parametrize("moved", [True, False])
def test_painting_and_region_stay_on_a_volume_that_is_put_under_another_transform(
    painted_engine, client, volume, transform, moved
):
    if not moved:
        put_under(transform, volume, painted_engine.seeds, painted_engine.roi)
    described, painted = told(painted_engine, client)
    put_under(transform if moved else None, volume)
    described_now, painted_now = told(painted_engine, client)
    assert described_now["complete_slices"] == described["complete_slices"] != [[], [], []]
    assert described_now["background_box"] == described["background_box"]
    assert np.array_equal(painted_now, painted)
    for node in (painted_engine.seeds, painted_engine.roi):
        assert node.GetTransformNodeID() == volume.GetTransformNodeID()


def test_a_region_that_was_put_elsewhere_by_hand_stays_there(painted_engine, scene, volume, transform):
    elsewhere = rotation_node(scene, 5.0, "elsewhere")
    put_under(elsewhere, painted_engine.roi)
    put_under(transform, volume)
    painted_engine.annotation_slices()
    assert painted_engine.seeds.GetTransformNodeID() == transform.GetID()
    assert painted_engine.roi.GetTransformNodeID() == elsewhere.GetID()


def test_complete_slices_are_not_taken_for_those_of_a_volume_that_was_hardened_alone(
    painted_engine, client, volume, transform
):
    put_under(transform, volume, painted_engine.seeds, painted_engine.roi)
    painted = painted_engine.painted()
    volume.HardenTransform()
    assert painted_engine.annotation_slices() == []
    with pytest.raises(DiffusionSegError, match="is under another transform than head") as error:
        painted_engine.start_training()
    assert "arden" in error.value.hint
    assert client.painted is None
    for node in (painted_engine.seeds, painted_engine.roi):
        node.HardenTransform()
    assert told(painted_engine, client)[0]["complete_slices"] != [[], [], []]
    assert np.array_equal(client.painted > 0, painted > 0)


@pytest.mark.parametrize("what", ["set", "removed", "hardened"])
def test_a_region_is_fitted_where_the_painting_is_whatever_became_of_its_transform(
    painted_engine, volume, transform, what
):
    box = painted_engine.background_box()
    if what == "set":
        put_under(transform, volume, painted_engine.seeds)
    else:
        put_under(transform, volume, painted_engine.seeds, painted_engine.roi)
        for node in (volume, painted_engine.seeds):
            if what == "hardened":
                node.HardenTransform()
            else:
                put_under(None, node)
    painted_engine.fit_background_region(2.0)
    assert painted_engine.background_box() == box


def test_a_new_segmentation_is_painted_in_under_the_volumes_transform(engine, scene, volume, transform):
    put_under(transform, volume)
    mine = a_segmentation(scene, {}, VoxelGeometry.of(volume), "mine")
    assert engine.set_input([volume], mine) == []
    assert engine.seeds is mine
    assert mine.GetTransformNodeID() == transform.GetID()
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_a_painting_is_found_again_on_a_volume_that_was_put_under_a_transform(painted_engine, volume, other, transform):
    seeds, painted, slices = painted_engine.seeds, painted_engine.painted(), painted_engine.annotation_slices()
    painted_engine.set_input([other])
    put_under(transform, volume)
    assert painted_engine.set_input([volume]) == []
    assert painted_engine.seeds is seeds
    assert np.array_equal(painted_engine.painted(), painted)
    assert painted_engine.annotation_slices() == slices


def test_the_same_painting_is_gone_on_with_when_its_volume_was_put_under_a_transform(painted_engine, volume, transform):
    seeds = painted_engine.seeds
    put_under(transform, volume)
    assert painted_engine.set_input([volume], seeds) == []
    assert painted_engine.seeds is seeds


def test_a_segmentation_of_other_origin_stays_where_it_is_in_the_world(engine, scene, volume, transform):
    geometry = VoxelGeometry.of(volume)
    mask = np.zeros(geometry.shape, bool)
    mask[8:14, 8:14, 8:14] = True
    mine = a_segmentation(scene, {"a": mask}, geometry, "mine")
    put_under(transform, mine)
    (warning,) = engine.set_input([volume], mine)
    assert "mine lies on other voxels than head" in warning
    assert mine.GetTransformNodeID() == transform.GetID()
    assert not np.array_equal(engine.painted() > 0, mask)


def test_a_painting_on_a_volume_that_was_hardened_alone_is_found_again_as_a_copy(
    painted_engine, volume, other, transform
):
    seeds = painted_engine.seeds
    painted_engine.set_input([other])
    put_under(transform, volume)
    volume.HardenTransform()
    (warning,) = painted_engine.set_input([volume])
    assert warning.startswith("head seeds lies on other voxels than head: it stays as it is")
    assert painted_engine.seeds is not seeds
    assert painted_engine.painted().any()


def test_painting_goes_on_where_a_transform_was_set_meanwhile(painted_engine, volume, transform, head):
    put_under(transform, volume)
    painted_engine.annotation_slices()
    identifier = add_segment(painted_engine.seeds, "Pallidum")
    mask = np.zeros(head[1].shape, bool)
    mask[5, 5, 5] = True
    paint(painted_engine.seeds, identifier, mask, VoxelGeometry.of(volume))
    assert painted_engine.painted()[5, 5, 5]


def test_complete_slices_are_not_lost_by_proposing_new_ones_on_a_volume_that_was_hardened_alone(
    painted_engine, volume, transform
):
    before = [found.place for found in painted_engine.annotation_slices()]
    put_under(transform, volume, painted_engine.seeds, painted_engine.roi)
    volume.HardenTransform()
    with pytest.raises(DiffusionSegError, match="under another transform"):
        painted_engine.propose_slices(stride=3)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    volume.ApplyTransformMatrix(inverse_of(transform))
    assert [found.place for found in painted_engine.annotation_slices()] == before


def test_the_preview_stays_in_the_world_where_its_volume_was_hardened_alone(predicted_engine, volume, transform):
    put_under(transform, volume, predicted_engine.seeds, predicted_engine.roi)
    predicted_engine.findings.move_along(volume)
    volume.HardenTransform()
    predicted_engine.findings.move_along(volume)
    assert predicted_engine.preview.GetTransformNodeID() == transform.GetID()
    assert predicted_engine.uncertainty_volume.GetTransformNodeID() == transform.GetID()


def inverse_of(transform):
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformFromParent(matrix)
    return matrix
