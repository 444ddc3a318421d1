"""From the preview into the user's segmentation."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import segment_mask
from DiffusionSegCore.voxel_geometry import VoxelGeometry, matrix_from_array
from Module.mrml import a_segmentation, a_volume_node, masks_by_name, paint, rotation_node

from DiffusionSegLib.errors import DiffusionSegError

TAKEN_BACK = "The last Apply to mine was taken back."


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


def test_a_second_click_that_changes_nothing_leaves_the_way_back_from_the_first(predicted_engine, finished, volume):
    before = masks_by_name(finished, volume)
    predicted_engine.apply_preview("all")
    predicted_engine.apply_preview("all")
    predicted_engine.undo_apply()
    after = masks_by_name(finished, volume)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def edit(segmentation, name, volume, corner):
    """Add a block of voxels to a segment, as the user would."""
    contents = segmentation.GetSegmentation()
    mask = masks_by_name(segmentation, volume)[name]
    mask[tuple(slice(start, start + 3) for start in corner)] = True
    paint(segmentation, contents.GetSegmentIdBySegmentName(name), mask, VoxelGeometry.of(volume))
    return mask


@pytest.mark.parametrize("overwrite", ["all", "visible", "none"])
def test_undo_leaves_what_was_edited_in_segments_that_apply_had_not_changed(
    predicted_engine, finished, volume, overwrite
):
    other = finished.GetSegmentation().AddEmptySegment("Other", "Other")
    before = masks_by_name(finished, volume)
    predicted_engine.apply_preview(overwrite)
    edited = edit(finished, "Other", volume, (0, 0, 0))
    assert predicted_engine.undo_apply() == [TAKEN_BACK]
    after = masks_by_name(finished, volume)
    assert finished.GetSegmentation().GetSegment(other) is not None
    assert np.array_equal(after.pop("Other"), edited)
    assert all(np.array_equal(mask, before[name]) for name, mask in after.items())
    assert set(after) == {"Visible", "Hidden"}


def test_undo_leaves_edits_of_what_was_applied_says_so_and_restores_the_rest(predicted_engine, finished, volume):
    before = masks_by_name(finished, volume)
    predicted_engine.apply_preview("all")
    edited = edit(finished, "Caudate", volume, (0, 0, 0))
    assert predicted_engine.undo_apply() == [TAKEN_BACK, "Edited since Apply and left as it is: Caudate."]
    after = masks_by_name(finished, volume)
    assert set(after) == {"Visible", "Hidden", "Caudate"}
    assert np.array_equal(after["Caudate"], edited)
    assert np.array_equal(after["Visible"], before["Visible"])
    assert np.array_equal(after["Hidden"], before["Hidden"])


def test_undo_leaves_a_segment_that_was_removed_or_renamed_since(predicted_engine, finished, volume):
    predicted_engine.apply_preview("all")
    contents = finished.GetSegmentation()
    contents.RemoveSegment(contents.GetSegmentIdBySegmentName("Visible"))
    contents.GetSegment(contents.GetSegmentIdBySegmentName("Putamen")).SetName("Shell")
    assert predicted_engine.undo_apply() == [TAKEN_BACK, "Edited since Apply and left as it is: Visible."]
    assert set(masks_by_name(finished, volume)) == {"Hidden"}


def test_undoing_the_second_apply_gives_the_first(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("all")
    first = masks_by_name(finished, volume)
    contents = predicted_engine.preview.GetSegmentation()
    moved = {name: np.roll(mask, 2, axis=0) for name, mask in found.items()}
    for name, mask in moved.items():
        paint(predicted_engine.preview, contents.GetSegmentIdBySegmentName(name), mask, VoxelGeometry.of(volume))
    predicted_engine.apply_preview("all")
    assert not np.array_equal(masks_by_name(finished, volume)["Caudate"], first["Caudate"])
    assert predicted_engine.undo_apply() == [TAKEN_BACK]
    after = masks_by_name(finished, volume)
    assert set(after) == set(first)
    assert all(np.array_equal(after[name], first[name]) for name in first)


def test_undo_restores_segments_on_voxels_of_their_own(predicted_engine, scene, volume):
    geometry = VoxelGeometry.of(volume)
    coarse = VoxelGeometry(tuple(size // 2 for size in geometry.shape), geometry.affine @ np.diag([2, 2, 2, 1]))
    node = a_segmentation(scene, {"Coarse": np.ones(coarse.shape, bool)}, coarse, "coarse")
    predicted_engine.set_result(node)
    image = node.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    before = masks_by_name(node, volume)
    spacing = image.GetSpacing()
    predicted_engine.apply_preview("all")
    predicted_engine.undo_apply()
    after = masks_by_name(node, volume)
    assert set(after) == {"Coarse"}
    assert np.array_equal(after["Coarse"], before["Coarse"])
    assert spacing == (2.0, 2.0, 2.0)


def test_applying_again_replaces_the_segments_of_the_first_time(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("none")
    predicted_engine.apply_preview("none")
    assert sorted(masks_by_name(finished, volume)) == ["Caudate", "Hidden", "Putamen", "Visible"]


def test_applying_again_takes_away_what_was_not_found_again(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("none")
    smaller = {name: mask.copy() for name, mask in found.items()}
    painted = masks_by_name(predicted_engine.seeds, volume)
    smaller["Caudate"][12:] = painted["Caudate"][12:]
    smaller["Putamen"][:] = painted["Putamen"]
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
    assert list(masks_by_name(predicted_engine.result, volume)) == ["Nucleus caudatus", "Putamen"]


@pytest.fixture
def contours(painted_engine, scene, volume):
    """What was drawn by hand earlier: Liver, with the value 1 like any first segment, and a lower-case name."""
    liver, putamen = np.zeros(VoxelGeometry.of(volume).shape, bool), np.zeros(VoxelGeometry.of(volume).shape, bool)
    liver[:4, :4, :4] = putamen[:4, :4, 16:] = True
    node = a_segmentation(scene, {"Liver": liver, "putamen": putamen}, VoxelGeometry.of(volume), "contours")
    labels_of(node)
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_prediction(painted_engine.start_prediction())
    painted_engine.set_result(node)
    return node


def test_a_segment_of_the_same_value_or_nearly_the_same_name_is_not_taken_over(painted_engine, contours, volume):
    before, shown = masks_by_name(contours, volume), masks_by_name(painted_engine.preview, volume)
    painted_engine.apply_preview("none")
    after = masks_by_name(contours, volume)
    assert list(after) == ["Liver", "putamen", "Caudate", "Putamen"]
    assert all(np.array_equal(after[name], mask) for name, mask in {**before, **shown}.items())


def masks(segmentation, volume):
    """In the segments' order: they may have the same name."""
    return [segment_mask(segmentation, one, volume) for one in segmentation.GetSegmentation().GetSegmentIDs()]


def test_two_structures_of_the_same_name_get_a_segment_each_also_when_applied_again(predicted_engine, volume):
    contents = predicted_engine.seeds.GetSegmentation()
    contents.GetSegment(contents.GetSegmentIdBySegmentName("Putamen")).SetName("Caudate")
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    for _ in range(2):
        predicted_engine.apply_preview()
        applied, shown = masks(predicted_engine.result, volume), masks(predicted_engine.preview, volume)
        assert len(applied) == 2
        assert all(np.array_equal(first, second) for first, second in zip(applied, shown, strict=True))


def test_names_that_were_swapped_are_swapped_in_the_result_and_undone(predicted_engine, volume):
    predicted_engine.apply_preview()
    before = masks_by_name(predicted_engine.result, volume)
    contents = predicted_engine.seeds.GetSegmentation()
    for identifier, name in zip(contents.GetSegmentIDs(), ("Putamen", "Caudate"), strict=True):
        contents.GetSegment(identifier).SetName(name)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    after = masks_by_name(predicted_engine.apply_preview(), volume)
    assert list(after) == ["Putamen", "Caudate"]
    assert np.array_equal(after["Putamen"], before["Caudate"])
    assert np.array_equal(after["Caudate"], before["Putamen"])
    predicted_engine.undo_apply()
    assert list(masks_by_name(predicted_engine.result, volume)) == ["Caudate", "Putamen"]


def test_what_a_loaded_segmenter_finds_is_applied_again_to_segments_that_the_user_renamed(
    predicted_engine, volume, tmp_path
):
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    for name in ("Caudate", "Nucleus caudatus: left | right"):
        predicted_engine.finish_prediction(predicted_engine.start_prediction())
        result = predicted_engine.apply_preview()
        result.GetSegmentation().GetNthSegment(0).SetName(name)
    assert list(masks_by_name(predicted_engine.apply_preview(), volume)) == [name, "Putamen"]


def test_a_segment_that_apply_was_undone_in_is_not_its_own_any_more(predicted_engine, finished, volume):
    drawn = finished.GetSegmentation().GetSegment("Visible")
    drawn.SetName("Caudate")
    before = masks_by_name(finished, volume)["Caudate"]
    predicted_engine.apply_preview("none")
    predicted_engine.undo_apply()
    drawn.SetName("By hand")
    predicted_engine.apply_preview("none")
    after = masks_by_name(finished, volume)
    assert list(after) == ["By hand", "Hidden", "Caudate", "Putamen"]
    assert np.array_equal(after["By hand"], before)


def test_what_was_painted_since_the_volume_was_segmented_is_in_the_result(predicted_engine, found, volume):
    corrected = edit(predicted_engine.seeds, "Putamen", volume, (10, 10, 13))
    completed = np.zeros_like(corrected)
    predicted_engine.mark_complete(0, 9)
    completed[9] = True
    result = masks_by_name(predicted_engine.apply_preview(), volume)
    shown = masks_by_name(predicted_engine.preview, volume)
    painted = masks_by_name(predicted_engine.seeds, volume)
    assert (corrected & ~found["Putamen"]).any()
    for name in ("Caudate", "Putamen"):
        other = painted["Caudate" if name == "Putamen" else "Putamen"]
        expected = (found[name] & ~completed & ~other) | painted[name]
        assert np.array_equal(result[name], expected)
        assert np.array_equal(shown[name], expected)


def test_what_was_edited_since_the_last_apply_and_is_replaced_is_told(predicted_engine, finished, found, volume):
    predicted_engine.apply_preview("none")
    assert predicted_engine.edits_replaced == ()
    before = masks_by_name(finished, volume)
    edited = edit(finished, "Caudate", volume, (0, 0, 0))
    predicted_engine.apply_preview("none")
    assert predicted_engine.edits_replaced == ("Caudate",)
    assert np.array_equal(masks_by_name(finished, volume)["Caudate"], before["Caudate"])
    predicted_engine.undo_apply()
    assert np.array_equal(masks_by_name(finished, volume)["Caudate"], edited)
    predicted_engine.apply_preview("none")
    assert predicted_engine.edits_replaced == ("Caudate",)


def test_a_segment_that_was_drawn_by_hand_and_is_replaced_is_told(predicted_engine, finished):
    finished.GetSegmentation().GetSegment("Visible").SetName("Caudate")
    predicted_engine.apply_preview("none")
    assert predicted_engine.edits_replaced == ("Caudate",)


@pytest.mark.parametrize("overwrite", ["all", "none"])
@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_beyond_a_volume_that_was_cropped_the_result_stays(
    predicted_engine, found, scene, volume, head, overwrite, shift
):
    whole = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "uncropped")
    result = predicted_engine.apply_preview()
    contents = result.GetSegmentation()
    affine = VoxelGeometry.of(volume).affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array([8 - shift, 0, 0])
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(head[0][8:].transpose(2, 1, 0)))
    volume.SetIJKToRASMatrix(matrix_from_array(affine))
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    predicted_engine.apply_preview(overwrite)
    after = masks_by_name(result, whole)
    assert contents.GetNumberOfSegments() == 2
    assert found["Putamen"][:7].any()
    assert found["Putamen"][9:].any()
    for name, mask in found.items():
        assert np.array_equal(after[name][:7], mask[:7])
    predicted_engine.undo_apply()
    after = masks_by_name(result, whole)
    assert all(np.array_equal(after[name], mask) for name, mask in found.items())


def test_slices_alone_are_not_applied(painted_engine):
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_preview(painted_engine.start_preview([(0, 10)]))
    assert not painted_engine.can_apply
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        painted_engine.apply_preview()


def test_a_preview_from_before_the_last_training_is_not_applied(predicted_engine):
    assert predicted_engine.can_apply
    predicted_engine.finish_training(predicted_engine.start_training())
    assert not predicted_engine.can_apply
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


def test_what_was_found_stays_on_a_volume_that_is_moved_afterwards(predicted_engine, found, scene, volume):
    volume.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    result = predicted_engine.apply_preview()
    applied = masks_by_name(result, volume)
    assert all(np.array_equal(applied[name], found[name]) for name in found)
    predicted_engine.finish_preview(predicted_engine.start_preview([(0, 12)]))
    for node in (result, predicted_engine.preview, predicted_engine.uncertainty_volume):
        assert node.GetParentTransformNode() is volume.GetParentTransformNode()


def test_what_was_found_nowhere_leaves_a_segment_that_the_user_drew_of_it(predicted_engine, scene, volume):
    drawn = np.zeros(VoxelGeometry.of(volume).shape, bool)
    drawn[:3, :3, :3] = True
    mine = a_segmentation(scene, {"Putamen": drawn}, VoxelGeometry.of(volume), "mine")
    predicted_engine.set_result(mine)
    for node in (predicted_engine.preview, predicted_engine.seeds):
        identifier = node.GetSegmentation().GetSegmentIdBySegmentName("Putamen")
        paint(node, identifier, np.zeros_like(drawn), VoxelGeometry.of(volume))
    predicted_engine.apply_preview("none")
    after = masks_by_name(mine, volume)
    assert np.array_equal(after["Putamen"], drawn)
    assert after["Caudate"].any()
    assert predicted_engine.edits_replaced == ()
