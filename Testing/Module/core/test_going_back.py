"""From one volume to another, and back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.sample_data import add_painted_phantom
from DiffusionSegCore.voxel_geometry import VoxelGeometry, matrix_from_array
from Module.mrml import a_segmentation, a_volume_node, paint

from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def other(scene, head):
    """Another patient's scan."""
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")


def visible(*nodes):
    return [bool(node.GetDisplayVisibility()) for node in nodes]


def test_what_belongs_to_a_volume_is_hidden_while_another_one_is_worked_on(predicted_engine, volume, other):
    shown = predicted_engine.seeds, predicted_engine.preview, predicted_engine.roi
    assert visible(*shown) == [True, True, True]
    predicted_engine.set_input([other])
    assert visible(*shown) == [False, False, False]
    assert visible(predicted_engine.seeds) == [True]
    predicted_engine.set_input([volume])
    assert visible(*shown) == [True, True, True]


def test_results_are_hidden_while_another_volume_is_worked_on(predicted_engine, volume, other):
    first = predicted_engine.apply_preview()
    predicted_engine.forget_result()
    second = predicted_engine.apply_preview()
    predicted_engine.set_input([other])
    assert visible(first, second) == [False, False]
    assert predicted_engine.result is None
    predicted_engine.set_input([volume])
    assert visible(first, second) == [True, True]
    assert predicted_engine.result is second


def test_a_result_of_the_users_own_is_hidden_until_it_takes_results_again(predicted_engine, volume, other, head):
    mine = a_segmentation(predicted_engine.scene, {"Tumour": head[1] == 3}, VoxelGeometry.of(volume), "mine")
    predicted_engine.set_result(mine)
    predicted_engine.apply_preview()
    predicted_engine.set_input([other])
    assert visible(mine) == [False]
    predicted_engine.set_result(mine)
    assert visible(mine) == [True]


def test_what_was_found_in_another_volume_is_hidden_with_that(predicted_engine, volume, other):
    predicted_engine.leave_views(other)
    found = predicted_engine.finish_applying(predicted_engine.start_applying(other))
    assert visible(found) == [True]
    predicted_engine.return_to_views()
    assert visible(found, predicted_engine.seeds) == [False, True]
    predicted_engine.set_input([other])
    assert visible(found) == [True]
    predicted_engine.set_input([volume])
    assert visible(found) == [False]


def test_what_is_put_away_is_brought_back_where_the_task_stays_the_same(predicted_engine, volume, other):
    shown = predicted_engine.seeds, predicted_engine.preview, predicted_engine.roi, predicted_engine.apply_preview()
    predicted_engine.show_preview(True)
    predicted_engine.put_away()
    assert visible(*shown) == [False] * 4
    predicted_engine.bring_back()
    assert visible(*shown) == [True] * 4
    predicted_engine.leave_views(other)
    predicted_engine.put_away()
    predicted_engine.bring_back()
    assert visible(*shown) == [False] * 4


def test_a_task_that_comes_with_an_added_scene_leaves_the_one_before_to_be_found_again(
    predicted_engine, scene, another_scene, tmp_path, head
):
    """`predicted_engine` is the one that is there; the other one's scene is added to its."""
    there = DiffusionSegEngine(another_scene.scene, lambda: None, str(tmp_path))
    there.set_input([a_volume_node(another_scene.scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "added")])
    another_scene.save(tmp_path / "added.mrb")
    volume, preview = predicted_engine.nodes.volume().first, predicted_engine.preview
    shown = predicted_engine.seeds, preview, predicted_engine.roi, predicted_engine.apply_preview()
    predicted_engine.show_preview(True)
    predicted_engine.put_away()
    assert scene.ReadFromMRB(str(tmp_path / "added.mrb"), False)
    predicted_engine.bring_back()
    added = predicted_engine.nodes.volume().first
    assert added.GetName() == "added"
    predicted_engine.set_input([added])
    assert visible(*shown, predicted_engine.seeds) == [False, False, False, False, True]
    predicted_engine.set_input([volume])
    assert visible(*shown) == [True] * 4
    assert predicted_engine.preview is preview


def test_what_the_user_had_hidden_stays_hidden(predicted_engine, volume, other):
    predicted_engine.roi.SetDisplayVisibility(False)
    predicted_engine.set_input([other])
    predicted_engine.set_input([volume])
    assert visible(predicted_engine.roi, predicted_engine.preview) == [False, True]


def test_what_belongs_to_a_volume_is_hidden_while_the_views_show_another_one(predicted_engine, other):
    shown = predicted_engine.seeds, predicted_engine.preview, predicted_engine.roi
    predicted_engine.roi.SetDisplayVisibility(False)
    predicted_engine.leave_views(other)
    assert visible(*shown) == [False, False, False]
    assert predicted_engine.return_to_views()
    assert visible(*shown) == [True, True, False]
    assert not predicted_engine.return_to_views()


def test_nothing_is_hidden_where_the_views_show_a_channel_of_the_volume(predicted_engine, volume, other):
    predicted_engine.leave_views(other)
    predicted_engine.set_input([volume, other], predicted_engine.seeds)
    predicted_engine.leave_views(other)
    assert visible(predicted_engine.seeds) == [True]
    assert not predicted_engine.return_to_views()


def test_what_was_hidden_is_shown_again_once_the_views_show_the_volume(predicted_engine, volume, other):
    predicted_engine.leave_views(other)
    predicted_engine.leave_views(volume)
    assert visible(predicted_engine.seeds, predicted_engine.preview) == [True, True]


def test_a_volume_that_is_taken_is_not_hidden_because_the_views_had_left_the_one_before(
    predicted_engine, volume, other
):
    first = predicted_engine.seeds
    predicted_engine.leave_views(other)
    predicted_engine.set_input([other])
    assert visible(first, predicted_engine.seeds) == [False, True]
    predicted_engine.set_input([volume])
    assert visible(first) == [True]


def test_a_volume_that_the_views_have_left_comes_back_in_a_saved_scene(
    predicted_engine, a_scene, another_scene, other, tmp_path
):
    predicted_engine.leave_views(other)
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: None, str(tmp_path))
    assert visible(again.seeds, again.preview) == [False, False]
    assert again.return_to_views()
    assert visible(again.seeds, again.preview) == [True, True]


def test_a_phantom_that_is_added_does_not_bring_back_what_the_views_have_left(predicted_engine, scene, other):
    predicted_engine.leave_views(other)
    add_painted_phantom(scene)
    assert visible(predicted_engine.seeds, predicted_engine.preview) == [False, False]
    assert predicted_engine.return_to_views()


def test_what_was_found_in_a_volume_is_found_again_but_not_applied(predicted_engine, volume, other):
    preview, uncertainty = predicted_engine.preview, predicted_engine.uncertainty_volume
    predicted_engine.set_input([other])
    assert predicted_engine.preview is predicted_engine.uncertainty_volume is None
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert predicted_engine.preview is not preview
    predicted_engine.set_input([volume])
    assert predicted_engine.preview is preview
    assert predicted_engine.uncertainty_volume is uncertainty
    # It may be from before the last training.
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        predicted_engine.apply_preview()


def test_another_channel_keeps_the_preview_and_outdates_it(predicted_engine, scene, volume, head):
    preview = predicted_engine.preview
    second = a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "second")
    predicted_engine.set_input([volume, second], predicted_engine.seeds)
    assert predicted_engine.preview is preview
    assert visible(preview) == [True]
    assert predicted_engine.findings.extent == "nothing"


def test_a_preview_that_was_painted_in_is_none_any_more_after_going_back(predicted_engine, volume, other):
    preview, seeds = predicted_engine.preview, predicted_engine.seeds
    predicted_engine.set_input([other])
    predicted_engine.set_input([volume], preview)
    assert predicted_engine.preview is None
    predicted_engine.set_input([other])
    predicted_engine.set_input([volume], seeds)
    assert predicted_engine.preview is None


def a_painting(engine, volume, mask):
    """One more painting on the volume, of one segment."""
    seeds = a_segmentation(engine.scene, {"a": mask}, VoxelGeometry.of(volume), "another painting")
    engine.set_input([volume], seeds)
    return seeds


def test_going_back_to_a_volume_finds_what_was_painted_in_last(painted_engine, volume, other, head):
    first = painted_engine.seeds
    second = a_painting(painted_engine, volume, head[1] == 3)
    for seeds in (second, first):
        painted_engine.set_input([volume], seeds)
        painted_engine.set_input([other])
        painted_engine.set_input([volume])
        assert painted_engine.seeds is seeds


def test_only_the_region_of_the_chosen_painting_is_in_view(painted_engine, volume, head):
    first = painted_engine.seeds
    second = a_painting(painted_engine, volume, head[1] == 3)
    region = first.GetNodeReference("DiffusionSeg.BackgroundRegion")
    assert visible(first, region) == [True, False]
    painted_engine.set_input([volume], first)
    assert visible(second, region) == [True, True]


@pytest.mark.parametrize("shown", [True, False])
def test_a_copy_of_a_painting_has_a_region_of_its_own(painted_engine, scene, volume, head, shown):
    first, region, box = painted_engine.seeds, painted_engine.roi, painted_engine.background_box()
    region.SetDisplayVisibility(shown)
    coarse = an_affine(np.eye(3), (2, 2, 2))
    next_scan = a_volume_node(scene, head[0][::2, ::2, ::2], coarse, "next scan")
    painted_engine.set_input([next_scan], first)
    assert np.abs(np.array(painted_engine.background_box()) * 2 - box).max() <= 1
    assert visible(painted_engine.roi, region) == [shown, False]
    painted_engine.fit_background_region(0.0)
    painted_engine.set_input([volume], first)
    assert painted_engine.roi is region
    assert painted_engine.background_box() == box


def test_a_copy_of_a_painting_beside_the_volume_has_no_region(painted_engine, scene, head):
    away = an_affine(np.eye(3), (1, 1, 1))
    away[:3, 3] += 1000
    painted_engine.set_input([a_volume_node(scene, head[0], away, "far away")], painted_engine.seeds)
    assert painted_engine.roi is None
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 1


def test_where_the_last_painting_is_gone_one_that_holds_paint_is_found(engine, scene, volume, other, head):
    engine.set_input([volume])
    empty = engine.seeds
    painted = a_painting(engine, volume, head[1] == 3)
    last = a_painting(engine, volume, head[1] == 7)
    engine.set_input([other])
    scene.RemoveNode(last)
    engine.set_input([volume])
    assert engine.seeds is painted
    engine.set_input([other])
    scene.RemoveNode(painted)
    engine.set_input([volume])
    assert engine.seeds is empty


def test_a_painting_on_other_voxels_does_not_end_the_search(engine, scene, volume, other, head):
    first = a_painting(engine, volume, head[1] == 7)
    second = a_painting(engine, volume, head[1] == 3)
    engine.set_input([other])
    geometry = VoxelGeometry.of(volume)
    paint(first, "a", (head[1] == 7)[::2], VoxelGeometry((12, 22, 20), geometry.affine @ np.diag([2, 1, 1, 1])))
    engine.set_input([volume], first)
    scene.RemoveNode(engine.seeds)
    engine.set_input([other])
    engine.set_input([volume])
    assert engine.seeds is second


def test_a_painting_that_was_used_on_two_volumes_is_found_again_on_both(painted_engine, volume, other):
    seeds, painted, slices = painted_engine.seeds, painted_engine.painted(), painted_engine.annotation_slices()
    painted_engine.set_input([other], seeds)
    for node in (volume, other):
        assert painted_engine.set_input([node]) == []
        assert painted_engine.seeds is seeds
        assert np.array_equal(painted_engine.painted(), painted)
        assert painted_engine.annotation_slices() == slices


def test_a_volume_that_was_cropped_while_another_one_was_worked_on_gets_a_copy_of_its_painting(
    painted_engine, volume, other, head
):
    seeds, painted = painted_engine.seeds, painted_engine.painted()
    painted_engine.set_input([other])
    affine = VoxelGeometry.of(volume).affine.copy()
    affine[:3, 3] += 2
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(head[0][2:, 2:, 2:].transpose(2, 1, 0)))
    volume.SetIJKToRASMatrix(matrix_from_array(affine))
    (warning,) = painted_engine.set_input([volume])
    assert "head seeds lies on other voxels than head" in warning
    assert painted_engine.seeds is not seeds
    assert visible(painted_engine.seeds, seeds) == [True, False]
    assert np.array_equal(painted_engine.painted(), painted[2:, 2:, 2:])
    assert {found.state for found in painted_engine.annotation_slices()} == {"complete"}


def test_a_copy_of_a_volume_gets_a_painting_of_its_own(painted_engine, scene, volume):
    seeds = painted_engine.seeds
    copy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "copy")
    copy.Copy(volume)
    assert painted_engine.set_input([copy]) == []
    assert painted_engine.seeds is not seeds
    assert not painted_engine.painted().any()


def test_a_copy_of_a_volume_has_no_preview_yet(predicted_engine, scene, volume, other):
    predicted_engine.set_input([other])
    copy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "copy")
    copy.Copy(volume)
    predicted_engine.set_input([copy])
    assert predicted_engine.preview is predicted_engine.uncertainty_volume is None


def test_what_was_found_is_found_again_in_a_saved_scene(predicted_engine, a_scene, another_scene, other, tmp_path):
    predicted_engine.set_input([other])
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: None, str(tmp_path))
    again.set_input([another_scene.scene.GetFirstNodeByName("head")])
    assert again.preview.GetName() == "head preview"
    assert again.uncertainty_volume.GetName() == "head uncertainty"
    assert visible(again.seeds, again.preview, again.roi) == [True, True, True]


def test_a_map_of_uncertainty_is_no_scan_also_after_another_volume_was_chosen(predicted_engine, other, volume):
    uncertainty = predicted_engine.uncertainty_volume
    predicted_engine.set_input([other])
    assert predicted_engine.shows_uncertainty(uncertainty)
    assert not predicted_engine.shows_uncertainty(volume)
    with pytest.raises(DiffusionSegError, match="shows where a result is unsure"):
        predicted_engine.set_input([uncertainty])


def test_what_was_found_in_one_other_volume_is_hidden_while_the_views_show_the_next(
    predicted_engine, other, scene, head
):
    third = a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "third")
    predicted_engine.leave_views(other)
    in_other = predicted_engine.finish_applying(predicted_engine.start_applying(other))
    predicted_engine.leave_views(third)
    in_third = predicted_engine.finish_applying(predicted_engine.start_applying(third))
    assert visible(in_other, in_third) == [False, True]
    predicted_engine.leave_views(other)
    assert visible(in_other, in_third) == [True, False]
    predicted_engine.return_to_views()
    assert visible(in_other, in_third) == [False, False]
