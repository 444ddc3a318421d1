"""Which segmentation the result may go to, and what it needs to be seen there."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import an_affine
from DiffusionSegCore.scene_nodes import SEEDS_ATTRIBUTE
from Module.mrml import a_volume_node, masks_by_name, rotation_node

from DiffusionSegLib.errors import DiffusionSegError


def test_a_painting_is_never_the_result(predicted_engine, finished, volume):
    seeds = predicted_engine.seeds
    predicted_engine.set_input([volume], finished)
    for painting in (seeds, finished):
        with pytest.raises(DiffusionSegError, match="holds the painting"):
            predicted_engine.set_result(painting)


@pytest.mark.parametrize("region", [True, False])
def test_an_earlier_painting_without_complete_slices_is_never_the_result(predicted_engine, finished, volume, region):
    painting = predicted_engine.seeds
    for found in predicted_engine.annotation_slices():
        predicted_engine.mark_complete(*found.place, complete=False)
    if not region:
        predicted_engine.remove_background_region()
    before = masks_by_name(painting, volume)
    predicted_engine.set_input([volume], finished)
    with pytest.raises(DiffusionSegError, match="holds the painting"):
        predicted_engine.set_result(painting)
    assert painting.GetAttribute(SEEDS_ATTRIBUTE)
    after = masks_by_name(painting, volume)
    assert all(np.array_equal(after[name], mask) for name, mask in before.items())


@pytest.fixture
def once_chosen_to_paint_in(predicted_engine, finished, volume):
    """A finished segmentation that slices were proposed for by mistake, before the painting was chosen again."""
    seeds = predicted_engine.seeds
    predicted_engine.forget_result()
    predicted_engine.set_input([volume], finished)
    predicted_engine.propose_slices(stride=3)
    predicted_engine.set_input([volume], seeds)
    return finished


def test_a_segmentation_that_was_once_chosen_to_paint_in_by_mistake_takes_results(
    predicted_engine, once_chosen_to_paint_in, found, volume
):
    predicted_engine.set_result(once_chosen_to_paint_in)
    applied = masks_by_name(predicted_engine.apply_preview(), volume)
    assert all(np.array_equal(applied[name], mask) for name, mask in found.items())
    predicted_engine.set_result(once_chosen_to_paint_in)


def test_a_result_that_was_once_painted_in_comes_back_with_its_volume(
    predicted_engine, once_chosen_to_paint_in, scene, volume, head
):
    predicted_engine.set_result(once_chosen_to_paint_in)
    seeds = predicted_engine.seeds
    predicted_engine.set_input([a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next patient")])
    assert not once_chosen_to_paint_in.GetDisplayVisibility()
    predicted_engine.set_input([volume])
    assert predicted_engine.seeds is seeds
    assert predicted_engine.result is once_chosen_to_paint_in
    assert once_chosen_to_paint_in.GetDisplayVisibility()


def test_the_segmentation_of_another_volume_is_not_the_result(predicted_engine, finished, scene, volume, head):
    other = a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next patient")
    finished.SetReferenceImageGeometryParameterFromVolumeNode(other)
    with pytest.raises(DiffusionSegError, match="mine belongs to next patient, not to head"):
        predicted_engine.set_result(finished)
    predicted_engine.set_input([volume, other])
    predicted_engine.set_result(finished)
    assert predicted_engine.result is finished


def test_a_segmentation_that_a_selector_has_just_made_is_shown_on_the_volumes_voxels(predicted_engine, scene, volume):
    new = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "new")
    predicted_engine.set_result(new)
    predicted_engine.apply_preview()
    assert new.GetDisplayNode().GetVisibility()
    assert new.GetNodeReference(new.GetReferenceImageGeometryReferenceRole()) is volume


def test_an_empty_result_is_put_under_the_volumes_transform(predicted_engine, found, scene, volume):
    volume.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    empty = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    predicted_engine.set_result(empty)
    applied = masks_by_name(predicted_engine.apply_preview(), volume)
    assert all(np.array_equal(applied[name], found[name]) for name in found)


def test_a_result_under_another_transform_than_the_volume_is_refused(predicted_engine, finished, scene, volume):
    before = masks_by_name(finished, volume)
    volume.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    with pytest.raises(DiffusionSegError, match="mine is under another transform than head"):
        predicted_engine.apply_preview()
    volume.SetAndObserveTransformNodeID(None)
    after = masks_by_name(finished, volume)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_a_result_that_is_forgotten_is_not_written_to_again(predicted_engine, finished, volume):
    before = masks_by_name(finished, volume)
    predicted_engine.forget_result()
    assert predicted_engine.apply_preview() is not finished
    assert masks_by_name(finished, volume).keys() == before.keys()


def test_a_segmentation_of_surfaces_is_not_applied_to(predicted_engine, finished):
    finished.CreateClosedSurfaceRepresentation()
    finished.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(DiffusionSegError, match="not made of voxels"):
        predicted_engine.apply_preview("all")
    assert not predicted_engine.can_undo
