"""Progress, Cancel, chart and the worker's end in the panel with faked Slicer widgets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import slicer
from conftest import REPOSITORY
from slicer_fakes.application import add_volume
from slicer_fakes.engine import FakeError

FURTHER_STAGES = ("features/extraction.py", "features/features_file.py", "segmenter/ensemble_training.py")


@pytest.fixture
def training(panel, press_and_hold):
    """A training that goes on until the test ends it."""
    press_and_hold(panel.ui.trainButton)
    return panel


def test_stage_share_and_cancel_are_shown(training, client, settle):
    client.tell("progress", stage="features", done=3, total=12)
    settle()
    ui = training.ui
    assert ui.runFrame.isVisibleTo(training.parent)
    assert ui.stageLabel.text == "Computing features"
    assert (ui.progressBar.value, ui.progressBar.maximum) == (250, 1000)
    assert ui.cancelButton.enabled


def test_every_stage_of_the_worker_has_words_of_its_own(module):
    from DiffusionSegWidgets.stage_words import stage_in_words

    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "DiffusionSegLib").glob("*.py")]
    sources += [(REPOSITORY / "DiffusionSegLib" / name).read_text(encoding="utf-8") for name in FURTHER_STAGES]
    stages = {name for source in sources for name in re.findall(r"progress\(\s*\"([a-z-]+)\"", source)}
    assert {"alignment", "features", "clean-up", "saving", "training"} <= stages
    # The last two are stages of pretraining, which no worker does.
    for stage in stages - {"template", "symmetry"}:
        assert stage_in_words(stage) != stage.capitalize() or stage == "training", stage


def test_time_left_follows_from_the_speed_so_far(training):
    clock = [0.0]
    from DiffusionSegWidgets.time_left import TimeLeft

    watch = TimeLeft(lambda: clock[0])
    assert watch.seconds("features", 0, 100) is None
    clock[0] = 10.0
    assert watch.seconds("features", 25, 100) == pytest.approx(30.0)
    assert watch.seconds("training", 1, 10) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (95, "2 min"), (5399, "90 min"), (7200, "2.0 h")]
)
def test_durations_are_in_words(module, seconds, words):
    from DiffusionSegWidgets.time_left import in_words

    assert in_words(seconds) == words


def test_what_would_disturb_is_disabled_and_painting_is_not(training):
    ui = training.ui
    for name in ("trainButton", "predictButton", "applyButton", "inputVolumeSelector", "loadSegmenterButton"):
        assert not getattr(ui, name).enabled, name
    assert ui.proposeButton.enabled
    assert ui.segmentEditorWidget.enabled


def test_the_chart_draws_loss_and_agreement(training, client, settle):
    assert not training.ui.chartLabel.isVisibleTo(training.parent)
    client.tell("curve", step=0, loss=2.0, held_out=None)
    client.tell("curve", step=10, loss=1.0, held_out=0.5)
    client.tell("curve", step=20, loss=0.5, held_out=0.9)
    settle()
    assert training.ui.chartLabel.isVisibleTo(training.parent)
    picture = training.ui.chartLabel.pixmap.toImage()
    colors = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {"#c44e52", "#2e7d32"} <= colors


def test_a_curve_that_cannot_be_drawn_does_not_keep_the_panel_busy(training, client, settle):
    client.tell("curve", step=0)
    client.running.end()
    client.held_back = False
    settle()
    assert not training.runs.busy


def test_a_warning_of_the_worker_is_shown(training, client, settle):
    client.tell("warning", message="The disk is full.", hint="Delete kept work.")
    settle()
    assert training.ui.messageLabel.text == "The disk is full. Delete kept work."


def test_a_warning_of_another_volume_names_it(training, client, settle):
    client.tell("warning", about="Patient 2", message="It hardly looks like the brains that the model has seen.")
    settle()
    assert training.ui.messageLabel.text == "Patient 2: It hardly looks like the brains that the model has seen."


def test_what_is_learnt_in_spite_of_a_warning_is_told_beside_it(training, engine, client, settle):
    engine.warnings = ["Caudate, Putamen overlap."]
    for _told_twice in range(2):
        client.tell("warning", message="The disk is full.", hint="Delete kept work.")
    settle()
    client.held_back = False
    client.running.end()
    settle()
    assert training.ui.messageLabel.text == "The disk is full. Delete kept work. Caudate, Putamen overlap."


def test_a_warning_of_the_run_before_is_not_told_again(training, client, settle):
    client.tell("warning", message="The memory is short.")
    settle()
    client.held_back = False
    client.running.end()
    settle()
    client.held_back = True
    training.ui.predictButton.click()
    client.tell("warning", message="The disk is full.")
    settle()
    assert training.ui.messageLabel.text == "The disk is full."


def test_work_that_cannot_go_on_by_itself_does_not_keep_the_panel_busy(training, client, monkeypatch):
    monkeypatch.setattr(type(client.running), "done", property(lambda _call: 1 / 0), raising=False)
    training.runs.poll()
    assert not training.runs.busy
    assert "failed unexpectedly" in training.ui.messageLabel.text


def test_the_segmenters_file_is_waited_for_without_blocking(training, client, settle):
    client.held_back = False
    client.running.end()
    settle()
    client.held_back = True
    training.ui.segmenterPathEdit.currentPath = "/data/balls"
    for button in (training.ui.saveSegmenterButton, training.ui.loadSegmenterButton):
        button.click()
        assert training.runs.busy
        training.ui.cancelButton.click()
        settle()
        assert not training.runs.busy


def test_a_warning_is_still_there_when_all_that_follows_is_done(training, client, settle):
    client.tell("warning", message="The memory is short.", hint="Smaller pieces are computed.")
    settle()
    client.held_back = False
    client.running.end()
    settle()
    assert not training.runs.busy
    assert training.ui.messageLabel.text == "The memory is short. Smaller pieces are computed."


def test_nothing_follows_work_that_was_cancelled_when_it_was_just_done(training, client, engine, settle, monkeypatch):
    monkeypatch.setattr(client, "cancel", client.running.end)
    training.ui.cancelButton.click()
    settle()
    assert "finish_training" in [entry[0] for entry in engine.did]
    assert "start_preview" not in [entry[0] for entry in engine.did]


def test_cancel_stops_and_says_so(training, client, engine, settle):
    training.ui.cancelButton.click()
    settle()
    assert ("cancel",) in engine.did
    assert training.ui.messageLabel.text == "Training was stopped."
    assert not training.ui.runFrame.isVisibleTo(training.parent)
    assert training.ui.trainButton.enabled


def test_a_second_job_is_refused_while_one_runs(training, engine):
    training.train.train()
    assert training.ui.messageLabel.text == "Still busy; press Cancel to stop."
    assert [entry[0] for entry in engine.did].count("start_training") == 1


def test_the_volume_stays_until_the_work_is_done(training, client, scene, engine, settle):
    other = add_volume(scene, "Other")
    training.parameters.input_volume = other
    assert engine.did[-1] == ("start_training", False)
    client.held_back = False
    client.running.end()
    settle()
    assert ("set_input", ["Other"], None) in engine.did


def test_closing_the_scene_stops_the_work(training, client, scene):
    running = client.running
    scene.Clear(False)
    assert running.done
    assert not training.runs.busy
    assert not training.ui.trainButton.enabled


def test_what_abandoned_work_still_tells_is_not_told_of_the_next(training, client, scene, settle):
    scene.Clear(False)
    client.tell("warning", message="Of the scan before.")
    client.held_back = False
    training.parameters.input_volume = add_volume(scene, "Next")
    training.ui.estimateButton.click()
    settle()
    assert "Of the scan before." not in training.ui.messageLabel.text


def test_a_dead_worker_is_started_again_by_the_next_click(training, client, settle):
    client.running.end(RuntimeError("gone"))
    settle()
    client.alive, client.held_back = False, False
    training.ui.trainButton.click()
    settle()
    assert client.alive
    assert training.ui.messageLabel.text == ""


def test_the_worker_runs_in_slicers_python_with_the_backend_on_its_path(training, client):
    from DiffusionSegWidgets.backend import backend_folder

    assert client.command[1:] == ["-m", "DiffusionSegLib", "worker"]
    assert str(backend_folder()) in client.environment["PYTHONPATH"]
    assert (backend_folder() / "DiffusionSegLib").is_dir()


def test_the_users_own_command_starts_the_worker(panel, client, settle):
    panel.ui.workerCommandEdit.text = "ssh gpu-box 'my python' -m DiffusionSegLib worker"
    panel.ui.restartButton.click()
    settle()
    assert client.command == ["ssh", "gpu-box", "my python", "-m", "DiffusionSegLib", "worker"]


def test_a_command_that_was_put_right_is_used_by_the_next_click(panel, client, settle):
    panel.ui.workerCommandEdit.text = "shh gpu-box diffusionseg worker"
    client.faults["hello"] = FakeError("The worker did not start.")
    panel.ui.connectButton.click()
    settle()
    client.alive = False
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    panel.ui.connectButton.click()
    settle()
    assert client.command[0] == "ssh"
    assert client.alive


def test_a_command_with_half_a_pair_of_quotation_marks_is_told_and_can_be_put_right(panel, client, settle):
    panel.ui.workerCommandEdit.text = "ssh gpu-box 'my python -m DiffusionSegLib worker"
    panel.ui.connectButton.click()
    settle()
    assert panel.ui.messageLabel.text.startswith("The worker command cannot be read")
    assert "Under Advanced" in panel.ui.messageLabel.text
    panel.ui.workerCommandEdit.text = "ssh gpu-box 'my python' -m DiffusionSegLib worker"
    panel.ui.connectButton.click()
    settle()
    assert client.command[2] == "my python"


def test_the_users_own_command_gets_the_environment_that_slicer_was_started_in(panel, client, settle, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/slicer/lib/Python")
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    panel.ui.restartButton.click()
    settle()
    assert client.environment == {"PATH": "/usr/bin", "HOME": "/home/anna"}
    panel.ui.workerCommandEdit.text = ""
    panel.ui.restartButton.click()
    settle()
    assert client.environment["PYTHONHOME"] == "/slicer/lib/Python"


def test_a_scene_added_behind_another_module_lets_the_work_go_on(training, client, engine, scene, settle):
    training.exit()
    training.parent.isEntered = False
    scene.InvokeEvent(scene.EndImportEvent)
    client.held_back = False
    client.running.end()
    settle()
    assert ("finish_prediction",) in engine.did


def test_work_that_another_computer_keeps_is_deleted_there(panel, client, engine, settle, agreeing):
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    panel.ui.workFolderEdit.currentPath = "/scratch/anna"
    there = engine.session_folder
    panel.ui.deleteWorkButton.click()
    settle()
    assert ("forget", {"path": there}) in client.asked
    assert panel.ui.messageLabel.text == "7 MB were deleted."


def test_work_is_kept_in_slicers_cache_or_in_the_folder_that_was_chosen(panel):
    assert panel.logic.work_folder == Path(slicer.app.cachePath) / "DiffusionSegWork"
    panel.ui.workFolderEdit.currentPath = "/scratch/anna"
    panel.logic.close_worker()
    assert panel.logic.engine.session_folder == str(Path("/scratch/anna/DiffusionSegWork"))


def test_nothing_is_deleted_without_consent(panel, monkeypatch):
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda _text: False)
    here = panel.logic.work_folder
    here.mkdir(parents=True)
    panel.ui.deleteWorkButton.click()
    assert here.exists()


def test_kept_work_is_deleted_and_nothing_else(panel, tmp_path, agreeing):
    panel.ui.workFolderEdit.currentPath = str(tmp_path)
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    (tmp_path / "DiffusionSegWork" / "scan").mkdir(parents=True)
    (tmp_path / "DiffusionSegWork" / "scan" / "features").write_bytes(bytes(3 * 2**20))
    panel.ui.deleteWorkButton.click()
    assert panel.ui.messageLabel.text == "3 MB were deleted."
    assert (tmp_path / "holiday.jpg").exists()
    assert not (tmp_path / "DiffusionSegWork").exists()
