"""Tasks that were saved, reloaded, renamed and pruned."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine, an_oblique_rotation, axis_orders
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.core.conftest import NAMES
from Module.fake_worker_client import FakeWorkerClient
from Module.mrml import AScene, a_volume_node, masks_by_name, paint_slices, world_points

from DiffusionSegLib.errors import DiffusionSegError

AFFINES = {
    "right-handed": an_affine(np.eye(3), (1.0, 1.0, 1.0)),
    "left-handed": an_affine(np.diag([-1.0, 1.0, 1.0]), (1.0, 1.2, 2.0)),
    "permuted": an_affine(axis_orders()[21], (0.9, 1.2, 2.0)),
    "oblique": an_affine(an_oblique_rotation(), (0.9, 1.2, 2.0)),
}


@pytest.fixture
def saved(predicted_engine, a_scene, tmp_path):
    """A scene file of a task that was brought to its end."""
    predicted_engine.settings.bundle = "tiny"
    predicted_engine.settings.keep_largest = True
    predicted_engine.apply_preview()
    path = tmp_path / "task.mrb"
    a_scene.save(path)
    return path


def reloaded(path, tmp_path):
    again = AScene(tmp_path / "again")
    again.load(path)
    return again


@pytest.fixture
def again(saved, tmp_path):
    (tmp_path / "again").mkdir()
    return reloaded(saved, tmp_path)


@pytest.fixture
def engine_again(again, tmp_path):
    engine = DiffusionSegEngine(again.scene, FakeWorkerClient, str(tmp_path))
    yield engine
    engine.close()


def test_everything_comes_back_from_a_scene_file(predicted_engine, volume, engine_again):
    there = engine_again.nodes.volume().first
    assert there is not volume
    assert VoxelGeometry.of(there).matches(VoxelGeometry.of(volume))
    for role in ("seeds", "preview", "result"):
        before = masks_by_name(getattr(predicted_engine, role), volume)
        after = masks_by_name(getattr(engine_again, role), there)
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before), role
        assert list(labels_of(getattr(predicted_engine, role)).items()) == list(
            labels_of(getattr(engine_again, role)).items()
        )
    assert engine_again.annotation_slices() == predicted_engine.annotation_slices()
    assert engine_again.background_box() == predicted_engine.background_box()
    assert engine_again.settings.bundle == "tiny"
    assert engine_again.settings.keep_largest is True
    assert engine_again.labels == predicted_engine.labels
    assert np.allclose(
        slicer.util.arrayFromVolume(engine_again.uncertainty_volume),
        slicer.util.arrayFromVolume(predicted_engine.uncertainty_volume),
    )


def test_the_uncertainty_keeps_its_colours_and_window(engine_again, predicted_engine):
    display, before = (node.uncertainty_volume.GetDisplayNode() for node in (engine_again, predicted_engine))
    assert display.GetWindowLevelMax() == pytest.approx(before.GetWindowLevelMax())
    color = [0.0] * 4
    display.GetColorNode().GetColor(0, color)
    assert color[3] == 0
    display.GetColorNode().GetColor(255, color)
    assert color[3] > 0.5


def test_work_goes_on_where_it_was_left(engine_again):
    engine_again.finish_prediction(engine_again.start_prediction())
    engine_again.finish_training(engine_again.start_training())
    engine_again.finish_prediction(engine_again.start_prediction())
    first = masks_by_name(engine_again.preview, engine_again.nodes.volume().first)
    engine_again.apply_preview()
    assert first["Caudate"].any()


def test_a_result_from_a_scene_file_is_recognised_though_its_structures_were_renamed(engine_again):
    contents = engine_again.seeds.GetSegmentation()
    contents.GetSegment(contents.GetSegmentIdBySegmentName("Caudate")).SetName("Nucleus caudatus")
    engine_again.finish_prediction(engine_again.start_prediction())
    result = engine_again.result
    assert engine_again.apply_preview() is result
    assert [label.name for label in labels_of(result).values()] == ["Nucleus caudatus", "Putamen"]


def test_renamed_nodes_are_still_the_tasks(predicted_engine, volume):
    volume.SetName("someone else")
    predicted_engine.seeds.SetName("my painting")
    predicted_engine.finish_training(predicted_engine.start_training())
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert predicted_engine.preview is not None


def test_a_deleted_volume_is_told_and_a_new_choice_goes_on(engine_again, again, head):
    again.scene.RemoveNode(engine_again.nodes.volume().first)
    with pytest.raises(DiffusionSegError, match="no input volume"):
        engine_again.start_training()
    assert engine_again.annotation_slices()
    seeds = engine_again.seeds
    fresh = a_volume_node(again.scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "fresh")
    assert engine_again.set_input([fresh], seeds) == []
    assert engine_again.seeds is seeds
    engine_again.finish_training(engine_again.start_training())


def test_a_deleted_painting_is_told_and_replaced_by_choosing_again(predicted_engine, scene, volume):
    scene.RemoveNode(predicted_engine.seeds)
    assert predicted_engine.roi is None
    assert predicted_engine.annotation_slices() == []
    with pytest.raises(DiffusionSegError, match="no segmentation to paint in"):
        predicted_engine.start_training()
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    predicted_engine.set_input([volume])
    assert predicted_engine.seeds.GetSegmentation().GetNumberOfSegments() == 0


def test_a_deleted_preview_and_uncertainty_are_made_again(predicted_engine, scene):
    scene.RemoveNode(predicted_engine.preview)
    scene.RemoveNode(predicted_engine.uncertainty_volume)
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        predicted_engine.apply_preview()
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    predicted_engine.apply_preview()


def test_a_closed_scene_starts_anew(predicted_engine, scene, head):
    scene.Clear(False)
    assert predicted_engine.seeds is None
    assert predicted_engine.labels == []
    assert predicted_engine.settings.bundle == "brain-t1"
    volume = a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)))
    predicted_engine.set_input([volume])
    predicted_engine.propose_slices(stride=3)
    paint_slices(predicted_engine, head[1], NAMES)
    predicted_engine.finish_training(predicted_engine.start_training())
    assert scene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode") == 1


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_the_result_is_the_same_after_a_segmentation_file(engine, scene, head, affine, tmp_path):
    volume = a_volume_node(scene, head[0], affine)
    engine.set_input([volume])
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], NAMES)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    result = engine.apply_preview()
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    assert storage.WriteData(result)
    loaded = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(loaded)
    before, after = masks_by_name(result, volume), masks_by_name(loaded, volume)
    assert before.keys() == after.keys()
    for name, mask in before.items():
        assert mask.any()
        assert np.array_equal(world_points(mask, affine), world_points(after[name], affine))
    assert list(labels_of(result).values()) == list(labels_of(loaded).values())
    assert engine.set_input([volume], loaded) == [] or "stays as it is" in engine.set_input([volume], loaded)[0]
