"""What the user does while the worker works, or before there is anything to work on, and what is left of the scene."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import a_head, an_affine
from DiffusionSegCore import DiffusionSegEngine
from Module.fake_worker_client import FakeWorkerClient, FakeWorkerError
from Module.mrml import a_volume_node

from DiffusionSegLib.errors import DiffusionSegError


def test_a_segmenter_that_does_not_arrive_leaves_the_one_of_before(predicted_engine, client):
    before = predicted_engine.state.value("Segmenter")
    client.faults = {"save_segmenter": FakeWorkerError("The memory is full.", "Close other programs.")}
    with pytest.raises(DiffusionSegError, match="The memory is full"):
        predicted_engine.finish_training(predicted_engine.start_training())
    assert predicted_engine.state.value("Segmenter") == before
    assert predicted_engine.findings.extent == "whole"
    client.calls = []
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert client.calls == ["load_segmenter", "annotate", "predict"]


def test_a_worker_that_others_restarted_is_told_everything_again(painted_engine, client):
    painted_engine.finish_training(painted_engine.start_training())
    client.kill()
    client.restart()
    client.calls = []
    painted_engine.finish_prediction(painted_engine.start_prediction())
    assert client.calls == ["open", "load_segmenter", "annotate", "predict"]
    assert np.array_equal(client.painted, painted_engine.painted())


def test_a_scene_added_while_training_keeps_what_its_own_task_has_learnt(
    painted_engine, client, scene, another_scene, tmp_path
):
    there = DiffusionSegEngine(another_scene.scene, FakeWorkerClient, str(tmp_path))
    other = a_volume_node(another_scene.scene, a_head((20, 20, 20))[0], an_affine(np.eye(3), (1, 1, 1)), "other")
    there.set_input([other])
    there.state.set_value("Segmenter", "of the other task")
    there.state.set_value("Labels", [{"value": 1, "name": "Liver", "color": [1, 2, 3]}])
    another_scene.save(tmp_path / "other.mrb")
    client.slow = {"train"}
    work = painted_engine.start_training()
    assert scene.ReadFromMRB(str(tmp_path / "other.mrb"), False)
    assert painted_engine.nodes.volume().first.GetName() == "other"
    with pytest.raises(DiffusionSegError, match="Another volume was chosen"):
        painted_engine.finish_training(work)
    assert painted_engine.state.value("Segmenter") == "of the other task"
    assert [label.name for label in painted_engine.labels] == ["Liver"]


def test_a_volume_chosen_while_training_gets_no_foreign_segmenter(painted_engine, client, scene, volume, head):
    client.slow = {"train"}
    work = painted_engine.start_training()
    painted_engine.set_input([a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")])
    with pytest.raises(DiffusionSegError, match="Another volume was chosen"):
        painted_engine.finish_training(work)
    assert painted_engine.labels == []
    painted_engine.set_input([volume])
    client.slow = set()
    painted_engine.finish_training(painted_engine.start_training())
    assert painted_engine.labels


def test_another_volume_chosen_while_predicting_gets_no_foreign_result(painted_engine, client, scene, volume, head):
    painted_engine.finish_training(painted_engine.start_training())
    client.slow = {"predict"}
    work = painted_engine.start_prediction()
    painted_engine.set_input([a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")])
    with pytest.raises(DiffusionSegError, match="Another volume was chosen"):
        painted_engine.finish_prediction(work)
    assert painted_engine.preview is None


def test_a_volume_cropped_while_predicting_gets_no_stale_result(painted_engine, client, volume):
    import slicer

    painted_engine.finish_training(painted_engine.start_training())
    client.slow = {"predict"}
    work = painted_engine.start_prediction()
    slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume)[:10].copy())
    with pytest.raises(DiffusionSegError, match="got other voxels"):
        painted_engine.finish_prediction(work)


def test_a_region_beside_the_volume_is_told_before_anything_is_sent(painted_engine, client):
    painted_engine.roi.SetCenter(1000, 0, 0)
    with pytest.raises(DiffusionSegError, match="encloses no voxel"):
        painted_engine.start_training()
    assert client.calls == []


def test_nothing_painted_is_told_before_anything_is_sent(engine, volume, client):
    engine.set_input([volume])
    engine.propose_slices()
    with pytest.raises(DiffusionSegError, match="Nothing is painted"):
        engine.start_training()
    with pytest.raises(DiffusionSegError, match="Nothing is painted"):
        engine.fit_background_region()
    with pytest.raises(DiffusionSegError, match="no trained segmenter"):
        engine.start_prediction()
    assert client.calls == []
