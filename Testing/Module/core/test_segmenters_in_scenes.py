"""The segmenter that a scene keeps: it goes wherever the scene's file goes."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from DiffusionSegCore import DiffusionSegEngine
from Module.fake_worker_client import FakeWorkerClient
from Module.mrml import masks_by_name

from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def elsewhere(predicted_engine, a_scene, another_scene, tmp_path):
    """The task from the scene's file, on a computer that has nothing else of it."""
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    engine = DiffusionSegEngine(another_scene.scene, FakeWorkerClient)
    yield engine
    engine.close()


def test_a_scene_takes_its_segmenter_along(elsewhere, predicted_engine, found):
    assert elsewhere.state.value("Segmenter") == predicted_engine.state.value("Segmenter")
    elsewhere.finish_prediction(elsewhere.start_prediction())
    masks = masks_by_name(elsewhere.preview, elsewhere.nodes.volume().first)
    assert all(np.array_equal(mask, masks[name]) for name, mask in found.items())


def test_a_loaded_segmenter_is_taken_along_though_its_file_is_not(
    predicted_engine, a_scene, another_scene, tmp_path, found
):
    path = tmp_path / "kept.safetensors"
    predicted_engine.save_segmenter(path)
    predicted_engine.load_segmenter(path)
    a_scene.save(tmp_path / "task.mrb")
    path.unlink()
    another_scene.load(tmp_path / "task.mrb")
    engine = DiffusionSegEngine(another_scene.scene, FakeWorkerClient)
    engine.finish_prediction(engine.start_prediction())
    assert masks_by_name(engine.preview, engine.nodes.volume().first)["Caudate"].sum() == found["Caudate"].sum()
    engine.close()


def test_a_segmenter_of_its_usual_size_comes_back_byte_by_byte(engine, a_scene, another_scene, tmp_path):
    from DiffusionSegCore.scene_state import SceneState
    from DiffusionSegCore.segmenter_text import arrays_of, text_of

    content = np.random.default_rng(0).integers(0, 256, 2_000_000, np.uint8)
    engine.state.set_value("Segmenter", text_of({"segmenter": content}))
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = arrays_of(SceneState(another_scene.scene).value("Segmenter"))["segmenter"]
    assert np.array_equal(again, content)


def test_a_scenes_file_does_not_name_where_the_segmenter_and_kept_work_lie(predicted_engine, a_scene, tmp_path):
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    a_scene.save(tmp_path / "task.mrb")
    with zipfile.ZipFile(tmp_path / "task.mrb") as file:
        [scene] = [file.read(name).decode() for name in file.namelist() if name.endswith(".mrml")]
    assert str(tmp_path) not in scene


@pytest.mark.parametrize("text", ["/home/anna/segmenter-1.safetensors", "bm8gc2VnbWVudGVy", "cut off", 7])
def test_a_damaged_segmenter_is_told_of_and_costs_nothing_else(elsewhere, text):
    elsewhere.state.set_value("Segmenter", text)
    with pytest.raises(DiffusionSegError, match="segmenter") as told:
        elsewhere.finish_prediction(elsewhere.start_prediction())
    assert told.value.message.count(".") == 1
    assert [label.name for label in elsewhere.labels] == ["Caudate", "Putamen"]
    assert elsewhere.findings.extent == "whole"
    elsewhere.apply_preview()
    elsewhere.finish_training(elsewhere.start_training())
    elsewhere.finish_prediction(elsewhere.start_prediction())
