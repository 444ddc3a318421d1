"""The whole story clicked through in the panel with faked Slicer widgets, over the real engine and a real worker."""

from __future__ import annotations

import importlib
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import a_head, an_affine
from held_worker import Hold
from Module.mrml import a_volume_node, dice, masks_by_name, paint_slices, slicers_scene

NAMES = {3: "Caudate", 7: "Putamen"}
SHAPE = (24, 22, 20)
PATIENCE_SECONDS = 120
WORKER = shlex.join([sys.executable, str(Path(__file__).parents[2] / "quick_worker.py")])


@pytest.fixture
def module(scene):
    return importlib.import_module("DiffusionSeg")


@pytest.fixture
def scene(qt, tmp_path):
    with slicers_scene(tmp_path, {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}) as scene:
        yield scene


@pytest.fixture
def head():
    return a_head(SHAPE)


@pytest.fixture
def volume(scene, head):
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)))


@pytest.fixture
def panel(volume, open_panel, tiny_bundle, tmp_path):
    panel = open_panel()
    panel.ui.workerCommandEdit.text = WORKER
    panel.parameters.bundle, panel.parameters.bundle_folder = "", str(tiny_bundle.folder)
    panel.parameters.device = "cpu"
    panel.ui.workFolderEdit.currentPath = str(tmp_path)
    return panel


@pytest.fixture
def settle(application, panel):
    """Lets the panel's own timer poll the worker until nothing goes on any more, or a stage is reached."""

    def wait(stage: str | None = None) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while panel.runs.busy and (stage is None or stage not in panel.ui.stageLabel.text):
            assert time.monotonic() < end, panel.ui.stageLabel.text
            application.processEvents()
            time.sleep(0.01)
        assert stage is None or panel.runs.busy, panel.ui.messageLabel.text

    return wait


@pytest.fixture
def painted(panel, head):
    panel.parameters.stride = 3
    panel.ui.proposeButton.click()
    paint_slices(panel.logic.engine, head[1], NAMES)
    panel.train.on_pause()
    panel.ui.fitRegionButton.click()
    return panel


def painted_voxels(segmentation, volume) -> int:
    from DiffusionSegCore.segment_voxels import painted_labels

    return int((painted_labels(segmentation, volume) > 0).sum())


def test_nine_slices_become_a_volume_and_then_the_next_patients(painted, settle, volume, scene, head, tmp_path):
    panel, ui = painted, painted.ui
    assert ui.annotationTable.rowCount == 9
    assert [ui.annotationTable.item(row, 1).text() for row in range(9)] == ["✓ complete"] * 9

    ui.trainButton.click()
    assert ui.runFrame.isVisibleTo(panel.parent)
    settle()
    assert ui.messageLabel.text == ""
    assert "takes about" in ui.estimateLabel.text
    assert "No GPU" in ui.deviceLabel.text
    assert panel.train.points
    assert panel.logic.engine.preview is not None
    assert ui.suggestionTable.rowCount > 0

    ui.uncertaintySlider.value = 0.4
    composite = scene.GetFirstNode("Red", "vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() == panel.logic.engine.uncertainty_volume.GetID()

    ui.applyButton.click()
    result = panel.parameters.result_segmentation
    assert painted_voxels(result, volume) > 0
    ui.undoApplyButton.click()
    assert painted_voxels(result, volume) == 0

    ui.segmenterPathEdit.currentPath = str(tmp_path / "balls")
    ui.saveSegmenterButton.click()
    settle()
    assert (tmp_path / "balls.safetensors").stat().st_size > 0

    patient = a_volume_node(scene, head[0][::-1].copy(), an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next")
    ui.otherVolumeSelector.setCurrentNode(patient)
    ui.applyToOtherButton.click()
    settle()
    assert ui.messageLabel.text == ""
    assert painted_voxels(scene.GetFirstNodeByName("next segmentation"), patient) > 0


def test_two_painted_patients_are_learnt_together(painted, settle, scene, head):
    image, labels = head
    other = a_volume_node(scene, 2 * image, an_affine(np.eye(3), (1.0, 1.0, 1.0)), "other")
    painted.parameters.input_volume = other
    painted.ui.proposeButton.click()
    engine = painted.logic.engine
    # A stroke on a single slice of one structure: alone it would teach nothing.
    stroke = np.zeros_like(labels)
    stroke[:, :, 10] = np.where(labels[:, :, 10] == 3, 3, 0)
    paint_slices(engine, stroke, {3: NAMES[3]})
    for found in engine.annotation_slices():
        engine.mark_complete(*found.place, complete=False)
    painted.ui.allPaintingsCheckBox.checked = True
    painted.ui.trainButton.click()
    settle()
    assert {label.name for label in engine.labels} == set(NAMES.values())
    found = masks_by_name(engine.preview, other)
    for value, name in NAMES.items():
        assert dice(found[name], labels == value) > 0.5


def test_the_slices_in_view_are_previewed_before_the_whole_volume(painted, settle):
    painted.parameters.whole_volume = False
    painted.ui.trainButton.click()
    settle()
    assert painted.logic.engine.findings.extent == "slices"
    assert painted.ui.suggestionTable.rowCount == 0


def test_a_stopped_training_leaves_everything_as_it_was_and_the_next_one_works(painted, settle):
    ui = painted.ui
    ui.trainButton.click()
    settle("features")
    ui.cancelButton.click()
    settle()
    assert "stopped" in ui.messageLabel.text
    assert painted.logic.engine.preview is None
    ui.trainButton.click()
    settle()
    assert ui.messageLabel.text == ""
    assert painted.logic.engine.preview is not None


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_worker_that_was_killed_is_told_and_the_next_click_works(painted, settle):
    painted.ui.trainButton.click()
    settle("features")
    os.kill(painted.logic.living_client().process_id, signal.SIGKILL)
    settle()
    assert "worker" in painted.ui.messageLabel.text
    painted.ui.trainButton.click()
    settle()
    assert painted.ui.messageLabel.text == ""


def test_a_closed_scene_ends_the_training_and_the_next_scene_works(painted, settle, scene, head):
    painted.ui.trainButton.click()
    settle("features")
    folder = painted.parameters.bundle_folder
    scene.Clear(False)
    assert not painted.runs.busy
    assert not painted.ui.trainButton.enabled
    painted.parameters.bundle, painted.parameters.bundle_folder = "", folder
    painted.parameters.input_volume = a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)))
    painted.ui.proposeButton.click()
    paint_slices(painted.logic.engine, head[1], NAMES)
    painted.ui.trainButton.click()
    settle()
    assert painted.ui.messageLabel.text == ""
    assert painted.logic.engine.preview is not None


@pytest.mark.parametrize(
    ("held_at", "shown"), [("features", "Computing features"), ("prediction", "Segmenting the volume")]
)
def test_a_volume_that_is_deleted_while_the_worker_is_at_it_is_told(
    painted, settle, scene, volume, tmp_path, held_at, shown
):
    hold = Hold(tmp_path / "hold")
    painted.ui.workerCommandEdit.text = shlex.join(hold.command)
    with hold.at(held_at):
        painted.ui.trainButton.click()
        settle(shown)
        scene.RemoveNode(volume)
    settle()
    assert "removed" in painted.ui.messageLabel.text
    assert painted.logic.engine.findings.extent != "whole"
    assert not painted.ui.trainButton.enabled


def test_a_saved_scene_comes_back_with_slices_settings_and_result(painted, settle, scene, tiny_bundle, tmp_path):
    painted.ui.trainButton.click()
    settle()
    painted.ui.applyButton.click()
    assert scene.WriteToMRB(str(tmp_path / "saved.mrb"))
    scene.Clear(False)
    assert painted.ui.annotationTable.rowCount == 0
    assert scene.ReadFromMRB(str(tmp_path / "saved.mrb"), True)
    assert painted.ui.annotationTable.rowCount == 9
    assert painted.ui.strideSpinBox.value == 3
    assert painted.ui.bundleFolderEdit.currentPath == str(tiny_bundle.folder)
    assert painted.ui.segmentationSelector.currentNode() is painted.logic.engine.seeds
    assert painted.ui.resultSelector.currentNode() is painted.logic.engine.result
    painted.ui.trainButton.click()
    settle()
    assert painted.ui.messageLabel.text == ""


def test_slicers_self_test_of_the_parameters_passes(module):
    module.DiffusionSegTest("test_parameters_survive_in_the_scene").debug()


def prepared(panel, application) -> None:
    """Waits until the scan is prepared."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not panel.ui.preparationLabel.text.startswith("The scan is prepared"):
        assert time.monotonic() < end, panel.ui.preparationLabel.text
        application.processEvents()
        time.sleep(0.01)


@pytest.mark.usefixtures("painting_prepares")
def test_a_scan_that_was_prepared_while_it_was_painted_is_trained_at_once(painted, settle, application, monkeypatch):
    prepared(painted, application)
    from DiffusionSegWidgets import run_control

    shown = []
    monkeypatch.setattr(run_control, "stage_in_words", lambda stage: shown.append(stage) or stage)
    painted.ui.trainButton.click()
    settle()
    assert painted.ui.messageLabel.text == ""
    assert painted.logic.engine.preview is not None
    assert "training" in shown
    assert not {"preparation", "alignment", "features", "saving"} & set(shown)


@pytest.mark.usefixtures("painting_prepares")
def test_train_pressed_meanwhile_computes_nothing_twice(painted, settle, application, monkeypatch):
    whole, poll = [], painted.logic.poll

    def noted():
        told = poll()
        progress = [one["params"] for one in told if one["method"] == "progress"]
        whole.extend(one["stage"] for one in progress if one["done"] == one["total"])
        return told

    monkeypatch.setattr(painted.logic, "poll", noted)
    end = time.monotonic() + PATIENCE_SECONDS
    while not painted.ui.preparationLabel.text.startswith("Preparing the scan"):
        assert time.monotonic() < end, painted.ui.preparationLabel.text
        application.processEvents()
        time.sleep(0.001)
    painted.ui.trainButton.click()
    assert painted.runs.busy
    settle()
    assert painted.ui.messageLabel.text == ""
    assert painted.logic.engine.preview is not None
    assert whole.count("features") == 1


@pytest.mark.usefixtures("painting_prepares")
def test_a_loaded_scene_prepares_nothing_until_the_user_paints(painted, settle, scene, head, application, tmp_path):
    prepared(painted, application)
    assert scene.WriteToMRB(str(tmp_path / "saved.mrb"))
    scene.Clear(False)
    painted.logic.close_worker()
    assert scene.ReadFromMRB(str(tmp_path / "saved.mrb"), True)
    for _second in range(3):
        application.processEvents()
        time.sleep(1)
    assert painted.runs.idle
    assert not painted.logic.greeted
    paint_slices(painted.logic.engine, head[1], NAMES)
    painted.train.on_pause()
    prepared(painted, application)


def test_the_licence_of_a_folder_that_only_the_worker_sees_is_asked_for(panel, settle, monkeypatch):
    from DiffusionSegWidgets import bundle_choice

    monkeypatch.setattr(bundle_choice, "_description", lambda _folder: None)
    panel.input.bundles.show()
    assert "where the worker runs" in panel.ui.licenceLabel.text
    panel.ui.connectButton.click()
    settle()
    assert panel.ui.licenceLabel.text == "tiny: A small denoiser of random weights. Licence of the weights: CC0"
    assert "takes about" in panel.ui.estimateLabel.text
