"""What the segmenter has learnt keeps its own name, unless the segment that it was learnt from is still there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import an_affine
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, a_volume_node, add_segment, masks_by_name, paint


def predicted(engine):
    engine.finish_prediction(engine.start_prediction())
    return list(masks_by_name(engine.preview, engine.nodes.volume().first))


def segment_called(segmentation, name):
    contents = segmentation.GetSegmentation()
    return contents.GetSegment(contents.GetSegmentIdBySegmentName(name))


@pytest.fixture
def lesions(scene, volume):
    """Another segmentation of the same volume, whose only segment gets the value 1."""
    block = np.zeros(VoxelGeometry.of(volume).shape, bool)
    block[2:6, 2:6, 2:6] = True
    return a_segmentation(scene, {"Lesion": block}, VoxelGeometry.of(volume), "lesions")


def test_a_segment_that_was_renamed_after_training_lends_its_new_name(predicted_engine):
    segment = segment_called(predicted_engine.seeds, "Caudate")
    segment.SetName("Nucleus caudatus")
    segment.SetColor(0.2, 0.4, 0.6)
    assert predicted(predicted_engine) == ["Nucleus caudatus", "Putamen"]
    assert np.allclose(segment_called(predicted_engine.preview, "Nucleus caudatus").GetColor(), (0.2, 0.4, 0.6))


def trained_again(engine, client):
    """By value, the names that the worker hears of when a training goes on: those of before, and those of now."""
    engine.finish_training(engine.start_training(warm=True))
    return [{one["value"]: one["name"] for one in labels} for labels in (client.trained["labels"], client.labels)]


def test_a_training_goes_on_after_a_segment_was_renamed(predicted_engine, client, tmp_path):
    segment_called(predicted_engine.seeds, "Caudate").SetName("Nucleus caudatus")
    before, now = trained_again(predicted_engine, client)
    assert before == {1: "Caudate", 2: "Putamen"}
    assert now == {1: "Nucleus caudatus", 2: "Putamen"}
    assert [label.name for label in predicted_engine.labels] == ["Nucleus caudatus", "Putamen"]
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    assert [one["name"] for one in client.labels] == ["Nucleus caudatus", "Putamen"]


def test_a_training_does_not_go_on_for_another_segment_that_took_a_freed_value(predicted_engine, client, volume):
    contents, seeds = predicted_engine.seeds.GetSegmentation(), predicted_engine.seeds
    mask = masks_by_name(seeds, volume)["Putamen"]
    contents.RemoveSegment(contents.GetSegmentIdBySegmentName("Putamen"))
    paint(seeds, add_segment(seeds, "Lesion"), mask, VoxelGeometry.of(volume))
    before, now = trained_again(predicted_engine, client)
    assert before == now == {1: "Caudate", 2: "Lesion"}


def test_a_training_does_not_go_on_for_another_painting(predicted_engine, client, volume, lesions):
    predicted_engine.set_input([volume], lesions)
    before, now = trained_again(predicted_engine, client)
    assert before == now == {1: "Lesion"}


def test_what_a_loaded_segmenter_knows_keeps_its_names_whatever_is_painted(
    predicted_engine, volume, lesions, scene, head, tmp_path
):
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    predicted_engine.set_input([volume], lesions)
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    assert predicted(predicted_engine) == ["Caudate", "Putamen"]
    other = a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 2)), "next patient")
    applied = predicted_engine.finish_applying(predicted_engine.start_applying(other))
    assert list(masks_by_name(applied, other)) == ["Caudate", "Putamen"]


def test_a_segment_that_took_a_freed_value_does_not_name_the_class_learnt_before(predicted_engine):
    contents = predicted_engine.seeds.GetSegmentation()
    contents.RemoveSegment(contents.GetSegmentIdBySegmentName("Putamen"))
    add_segment(predicted_engine.seeds, "Lesion")
    assert predicted(predicted_engine) == ["Caudate", "Putamen"]


def test_another_painting_of_the_same_volume_lends_no_names(predicted_engine, volume, lesions):
    predicted_engine.set_input([volume], lesions)
    assert predicted(predicted_engine) == ["Caudate", "Putamen"]


def test_labels_of_a_scene_saved_without_the_segments_that_they_came_from_keep_their_names(predicted_engine):
    state = predicted_engine.state
    before = predicted_engine.labels
    said = [{name: one[name] for name in ("value", "name", "color", "terminology")} for one in state.value("Labels")]
    state.set_value("Labels", said)
    segment_called(predicted_engine.seeds, "Caudate").SetName("Nucleus caudatus")
    assert json.loads(state.node.GetParameter("Labels")) == said
    assert predicted_engine.labels == before
    assert predicted(predicted_engine) == ["Caudate", "Putamen"]


def test_a_segment_without_paint_is_nothing_that_was_learnt(painted_engine, volume):
    add_segment(painted_engine.seeds, "Not painted yet")
    painted_engine.finish_training(painted_engine.start_training())
    assert [label.name for label in painted_engine.labels] == ["Caudate", "Putamen"]
    assert predicted(painted_engine) == ["Caudate", "Putamen"]


def test_apply_leaves_a_segment_that_the_segmenter_never_learnt(painted_engine, scene, volume):
    add_segment(painted_engine.seeds, "Ventricle")
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_prediction(painted_engine.start_prediction())
    drawn = np.zeros(VoxelGeometry.of(volume).shape, bool)
    drawn[:3, :3, :3] = True
    mine = a_segmentation(scene, {"Ventricle": drawn}, VoxelGeometry.of(volume), "mine")
    painted_engine.set_result(mine)
    painted_engine.apply_preview("none")
    assert np.array_equal(masks_by_name(mine, volume)["Ventricle"], drawn)


def test_paint_that_another_segment_covers_is_not_learnt(painted_engine, volume):
    contents = painted_engine.seeds.GetSegmentation()
    hidden = masks_by_name(painted_engine.seeds, volume)["Caudate"]
    above = add_segment(painted_engine.seeds, "Head of caudate")
    paint(painted_engine.seeds, above, hidden, VoxelGeometry.of(volume))
    painted_engine.finish_training(painted_engine.start_training())
    assert contents.GetNumberOfSegments() == 3
    assert [label.name for label in painted_engine.labels] == ["Putamen", "Head of caudate"]


def test_another_volume_is_called_as_the_segmenter_knew_it_when_the_work_began(predicted_engine, head, client):
    other = a_volume_node(predicted_engine.scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next patient")
    client.slow.add("predict")
    work = predicted_engine.start_applying(other)
    # As a scene does that is added meanwhile and brings a segmenter of its own.
    predicted_engine.state.set_value("Labels", [])
    assert list(masks_by_name(predicted_engine.finish_applying(work), other)) == ["Caudate", "Putamen"]
