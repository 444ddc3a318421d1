"""The list of slices to paint."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from conftest import an_affine
from DiffusionSegCore import COMPLETE, PAINTED, TO_PAINT, AnnotationSlice
from DiffusionSegCore.voxel_geometry import VoxelGeometry, matrix_from_array
from Module.mrml import a_volume_node, add_segment, paint

from DiffusionSegLib.errors import DiffusionSegError


def test_nine_are_proposed_around_the_middle(engine, scene):
    volume = a_volume_node(scene, np.ones((101, 91, 81), np.uint8), an_affine(np.eye(3), (1, 1, 1)))
    engine.set_input([volume])
    places = [found.place for found in engine.propose_slices()]
    assert places == [(0, 40), (0, 50), (0, 60), (1, 35), (1, 45), (1, 55), (2, 30), (2, 40), (2, 50)]
    assert {found.state for found in engine.annotation_slices()} == {TO_PAINT}


def test_the_distance_is_in_mm_and_thin_stacks_are_not_left(engine, scene):
    volume = a_volume_node(scene, np.ones((100, 100, 7), np.uint8), an_affine(np.eye(3), (0.5, 0.5, 5.0)))
    engine.set_input([volume])
    places = [found.place for found in engine.propose_slices()]
    assert places[0][1] + 20 == places[1][1]
    assert [index for axis, index in places if axis == 2] == [2, 3, 4]


def test_they_surround_what_is_painted_already(engine, scene):
    volume = a_volume_node(scene, np.ones((101, 91, 81), np.uint8), an_affine(np.eye(3), (1, 1, 1)))
    engine.set_input([volume])
    mask = np.zeros((101, 91, 81), bool)
    mask[20:31, 30:41, 50:61] = True
    paint(engine.seeds, add_segment(engine.seeds, "a"), mask, VoxelGeometry.of(volume))
    assert [found.place for found in engine.propose_slices(stride=5)][::3] == [(0, 20), (1, 30), (2, 50)]


def test_they_surround_one_structure_or_the_middle_of_the_volume_if_that_is_wanted(engine, scene):
    volume = a_volume_node(scene, np.ones((101, 91, 81), np.uint8), an_affine(np.eye(3), (1, 1, 1)))
    engine.set_input([volume])
    for name, corner in (("a", 20), ("b", 60)):
        mask = np.zeros((101, 91, 81), bool)
        mask[corner : corner + 11, 30:41, 50:61] = True
        paint(engine.seeds, add_segment(engine.seeds, name), mask, VoxelGeometry.of(volume))
    chosen = engine.seeds.GetSegmentation().GetSegmentIdBySegmentName("b")
    assert [found.place for found in engine.propose_slices(stride=5, around=chosen)][::3] == [(0, 60), (1, 30), (2, 50)]
    # Those that hold paint stay on the list.
    assert {(0, 40), (1, 35), (2, 30)} <= {found.place for found in engine.propose_slices(whole_volume=True)}


@pytest.mark.parametrize("around", ["", "no such segment", "empty"])
def test_slices_around_a_structure_that_is_not_painted_are_told_of(painted_engine, around):
    if around == "empty":
        around = add_segment(painted_engine.seeds, "Pallidum")
    before = painted_engine.annotation_slices()
    with pytest.raises(DiffusionSegError, match="is painted yet"):
        painted_engine.propose_slices(around=around)
    assert painted_engine.annotation_slices() == before


def test_a_crossing_slice_counts_as_painted_only_by_its_own_paint(engine, volume):
    engine.set_input([volume])
    engine.add_slice(0, 12)
    engine.add_slice(2, 10)
    identifier = add_segment(engine.seeds, "a")
    mask = np.zeros(VoxelGeometry.of(volume).shape, bool)
    mask[4:20, 4:18, 10] = True
    paint(engine.seeds, identifier, mask, VoxelGeometry.of(volume))
    assert [found.state for found in engine.annotation_slices()] == [TO_PAINT, PAINTED]
    mask[12, 8, 5] = True
    paint(engine.seeds, identifier, mask, VoxelGeometry.of(volume))
    assert [found.state for found in engine.annotation_slices()] == [PAINTED, PAINTED]


def test_complete_slices_are_told_to_the_worker_and_can_be_reopened(painted_engine, client):
    painted_engine.mark_complete(0, 3)
    painted_engine.mark_complete(0, 3, complete=False)
    painted_engine.finish_training(painted_engine.start_training())
    told = client.annotated["complete_slices"]
    assert [len(indices) for indices in told] == [3, 3, 3]
    assert 3 not in told[0]
    assert AnnotationSlice(0, 3, TO_PAINT) in painted_engine.annotation_slices()


def test_proposing_again_keeps_what_was_worked_on(painted_engine):
    before = painted_engine.annotation_slices()
    assert {found.state for found in before} == {COMPLETE}
    after = painted_engine.propose_slices(stride=2)
    assert set(before) <= set(after)


def test_slices_can_be_removed_and_must_lie_in_the_volume(painted_engine):
    first = painted_engine.annotation_slices()[0]
    painted_engine.remove_slice(*first.place)
    assert first.place not in {found.place for found in painted_engine.annotation_slices()}
    with pytest.raises(DiffusionSegError, match="K = 99 lies outside"):
        painted_engine.add_slice(2, 99)


def test_slices_that_a_cropped_volume_no_longer_has_are_left_out(painted_engine, volume):
    image = vtk.vtkImageData()
    image.SetDimensions(10, 22, 20)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    volume.SetAndObserveImageData(image)
    assert {found.index for found in painted_engine.annotation_slices() if found.axis == 0} == {8}
    assert painted_engine.described()["complete_slices"][0] == [8]
    assert len(painted_engine.propose_slices()) > 0


def test_slices_stay_complete_when_a_transform_is_hardened_on_volume_and_painting(painted_engine, scene, volume):
    before, told = painted_engine.annotation_slices(), painted_engine.described()["complete_slices"]
    turn = vtk.vtkTransform()
    turn.RotateZ(20)
    turn.Translate(3, 0, 0)
    transform = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(transform)
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    for node in (volume, painted_engine.seeds):
        node.SetAndObserveTransformNodeID(transform.GetID())
        node.HardenTransform()
    assert painted_engine.annotation_slices() == before
    assert painted_engine.described()["complete_slices"] == told


def cropped(volume, image, to_old):
    """Give a volume other voxels: `to_old` (4, 4) leads from their indices to those of the voxels that it had."""
    affine = VoxelGeometry.of(volume).affine @ to_old
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(image.transpose(2, 1, 0)))
    volume.SetIJKToRASMatrix(matrix_from_array(affine))


def test_complete_slices_stay_where_they_were_painted_when_the_volume_is_cropped(painted_engine, volume, head):
    before = [found.place for found in painted_engine.annotation_slices()]
    to_old = np.eye(4)
    # Interpolated cropping does not keep to whole voxels.
    to_old[:3, 3] = (12, 3.2, 5)
    cropped(volume, head[0][12:22, 3:20, 5:19], to_old)
    moved = [(axis, index - (12, 3, 5)[axis]) for axis, index in before]
    left = [(axis, index) for axis, index in moved if index >= 0]
    assert 0 < len(left) < 9
    assert [found.place for found in painted_engine.annotation_slices()] == left
    told = painted_engine.described()["complete_slices"]
    assert told == [[index for axis, index in left if axis == wanted] for wanted in range(3)]
    painted = painted_engine.painted()
    assert all(
        np.array_equal(painted.take(index, axis) > 0, painted_on(head, axis, index, to_old)) for axis, index in left
    )
    # What is marked from now on is kept beside them, on the new voxels.
    painted_engine.mark_complete(2, 1)
    assert {found.place for found in painted_engine.annotation_slices()} == {*left, (2, 1)}


def test_slices_that_a_crop_cut_off_come_back_with_their_voxels_whatever_was_added_meanwhile(
    painted_engine, volume, head
):
    before = {found.place for found in painted_engine.annotation_slices()}
    to_old = np.eye(4)
    to_old[:3, 3] = (12, 3.2, 5)
    cropped(volume, head[0][12:22, 3:20, 5:19], to_old)
    painted_engine.mark_complete(2, 1)
    first = min(painted_engine.annotation_slices()).place
    painted_engine.remove_slice(*first)
    cropped(volume, head[0], np.linalg.inv(to_old))
    found = painted_engine.annotation_slices()
    removed = first[0], first[1] + (12, 3, 5)[first[0]]
    assert {one.place for one in found} == {*before, (2, 6)} - {removed}
    assert {one.state for one in found} == {COMPLETE}


def painted_on(head, axis, index, to_old):
    first = np.rint(to_old[:3, 3]).astype(int)
    within = tuple(slice(start, start + size) for start, size in zip(first, (10, 17, 14), strict=True))
    return (head[1][within] > 0).take(index, axis)


def test_complete_slices_follow_voxels_that_are_counted_along_other_axes(painted_engine, volume, head):
    before = {found.place for found in painted_engine.annotation_slices()}
    to_old = np.array([[0.0, 1, 0, 0], [-1, 0, 0, 21], [0, 0, 1, 0], [0, 0, 0, 1]])
    cropped(volume, head[0].transpose(1, 0, 2)[::-1], to_old)
    expected = {(0, 21 - index) if axis == 1 else (1, index) if axis == 0 else (2, index) for axis, index in before}
    assert {found.place for found in painted_engine.annotation_slices()} == expected


@pytest.mark.parametrize("change", ["larger voxels", "turned", "half a voxel"])
def test_slices_of_voxels_that_are_gone_are_no_longer_complete(painted_engine, volume, head, change):
    to_old = np.eye(4)
    if change == "larger voxels":
        to_old[0, 0] = 1.5
    elif change == "turned":
        to_old[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    else:
        to_old[:3, 3] = 0.5
    cropped(volume, head[0], to_old)
    assert painted_engine.annotation_slices() == []
    assert painted_engine.described()["complete_slices"] == [[], [], []]


def test_a_copy_of_the_painting_on_a_cropped_volume_keeps_slices_and_region(painted_engine, scene, head):
    before, box = [found.place for found in painted_engine.annotation_slices()], painted_engine.background_box()
    crop = a_volume_node(scene, head[0][6:], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "cropped")
    affine = VoxelGeometry.of(painted_engine.nodes.volume().first).affine.copy()
    affine[:3, 3] = affine[:3, :3] @ (6, 0, 0) + affine[:3, 3]
    crop.SetIJKToRASMatrix(matrix_from_array(affine))
    (warning,) = painted_engine.set_input([crop], painted_engine.seeds)
    assert "is its copy" in warning
    found = painted_engine.annotation_slices()
    assert [one.place for one in found] == [(axis, index - 6 * (axis == 0)) for axis, index in before]
    assert {one.state for one in found} == {COMPLETE}
    assert painted_engine.background_box() == [[max(edge - 6, 0) for edge in box[0]], *box[1:]]


def test_going_back_to_a_volume_finds_its_slices_and_region_again(painted_engine, scene, volume, head):
    seeds, region, slices = painted_engine.seeds, painted_engine.roi, painted_engine.annotation_slices()
    other = a_volume_node(scene, head[0], an_affine(np.eye(3), (2, 2, 2)), "other")
    painted_engine.set_input([other])
    assert painted_engine.seeds is not seeds
    assert painted_engine.annotation_slices() == []
    assert painted_engine.roi is None
    painted_engine.set_input([volume])
    assert painted_engine.seeds is seeds
    assert painted_engine.roi is region
    assert painted_engine.annotation_slices() == slices


def test_slices_worth_painting_are_named_without_those_that_are_complete(predicted_engine):
    found = predicted_engine.next_slices(2)
    assert [type(place) for place in found] == [AnnotationSlice, AnnotationSlice]
