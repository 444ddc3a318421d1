"""From the preview into the user's segmentation."""

from __future__ import annotations

import numpy as np
import pytest
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, masks_by_name, paint

from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def found(predicted_engine, volume):
    return masks_by_name(predicted_engine.preview, volume)


@pytest.fixture
def finished(predicted_engine, scene, volume):
    """The user's own segmentation with a visible and a hidden segment that reach into everything."""
    geometry = VoxelGeometry.of(volume)
    left, right = np.zeros(geometry.shape, bool), np.zeros(geometry.shape, bool)
    left[:12], right[12:] = True, True
    node = a_segmentation(scene, {"Visible": left | right, "Hidden": left | right}, geometry, "mine")
    node.GetDisplayNode().SetSegmentVisibility("Hidden", False)
    predicted_engine.set_result(node)
    return node


@pytest.mark.parametrize(
    ("overwrite", "visible_loses", "hidden_loses"),
    [("all", True, True), ("visible", True, False), ("none", False, False)],
)
def test_other_segments_lose_voxels_as_the_mode_says(
    predicted_engine, finished, found, volume, overwrite, visible_loses, hidden_loses
):
    before = masks_by_name(finished, volume)
    assert predicted_engine.apply_preview(overwrite) is finished
    after = masks_by_name(finished, volume)
    applied = found["Caudate"] | found["Putamen"]
    assert np.array_equal(after["Caudate"], found["Caudate"])
    assert np.array_equal(after["Putamen"], found["Putamen"])
    assert np.array_equal(after["Visible"], before["Visible"] & ~applied if visible_loses else before["Visible"])
    assert np.array_equal(after["Hidden"], before["Hidden"] & ~applied if hidden_loses else before["Hidden"])


def test_one_step_back_undoes_all_of_it(predicted_engine, finished, volume):
    before = masks_by_name(finished, volume)
    predicted_engine.apply_preview("all")
    predicted_engine.undo_apply()
    after = masks_by_name(finished, volume)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)
    with pytest.raises(DiffusionSegError, match="Nothing was applied"):
        predicted_engine.undo_apply()


def test_applying_again_replaces_the_segments_of_the_first_time(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("none")
    predicted_engine.apply_preview("none")
    assert sorted(masks_by_name(finished, volume)) == ["Caudate", "Hidden", "Putamen", "Visible"]


def test_applying_again_takes_away_what_was_not_found_again(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("none")
    smaller = {name: mask.copy() for name, mask in found.items()}
    smaller["Caudate"][12:] = False
    smaller["Putamen"][:] = False
    contents = predicted_engine.preview.GetSegmentation()
    for name, mask in smaller.items():
        paint(predicted_engine.preview, contents.GetSegmentIdBySegmentName(name), mask, VoxelGeometry.of(volume))
    predicted_engine.apply_preview("none")
    after = masks_by_name(finished, volume)
    assert all(np.array_equal(after[name], mask) for name, mask in smaller.items())


def test_a_segment_that_was_renamed_is_replaced_all_the_same(predicted_engine, volume):
    predicted_engine.apply_preview()
    contents = predicted_engine.seeds.GetSegmentation()
    contents.GetSegment(contents.GetSegmentIdBySegmentName("Caudate")).SetName("Nucleus caudatus")
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    predicted_engine.apply_preview()
    assert len(masks_by_name(predicted_engine.result, volume)) == 2


def test_the_painting_is_never_the_result(predicted_engine):
    with pytest.raises(DiffusionSegError, match="holds the painting"):
        predicted_engine.set_result(predicted_engine.seeds)


def test_slices_alone_are_not_applied(painted_engine):
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_preview(painted_engine.start_preview([(0, 10)]))
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        painted_engine.apply_preview()


def test_a_preview_from_before_the_last_training_is_not_applied(predicted_engine):
    predicted_engine.finish_training(predicted_engine.start_training())
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        predicted_engine.apply_preview()


def test_undoing_into_a_deleted_segmentation_is_a_clear_error(predicted_engine, scene):
    scene.RemoveNode(predicted_engine.apply_preview())
    with pytest.raises(DiffusionSegError, match="was deleted"):
        predicted_engine.undo_apply()


def test_no_editor_node_is_left_behind(predicted_engine, scene):
    predicted_engine.apply_preview()
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentEditorNode") == 0


@pytest.mark.parametrize("role", ["preview", "result"])
def test_what_was_found_can_be_painted_in_and_is_then_never_overwritten(predicted_engine, volume, role):
    predicted_engine.apply_preview()
    chosen = getattr(predicted_engine, role)
    predicted_engine.set_input([volume], chosen)
    painted = masks_by_name(chosen, volume)
    assert predicted_engine.seeds is chosen
    painted["Caudate"][:5] = True
    paint(
        chosen,
        chosen.GetSegmentation().GetSegmentIdBySegmentName("Caudate"),
        painted["Caudate"],
        VoxelGeometry.of(volume),
    )
    predicted_engine.finish_training(predicted_engine.start_training())
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert predicted_engine.apply_preview() is not chosen
    assert predicted_engine.preview is not chosen
    assert np.array_equal(masks_by_name(chosen, volume)["Caudate"], painted["Caudate"])
