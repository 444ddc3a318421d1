"""What a run will take is told before it begins, in the panel with faked Slicer widgets and a fake engine."""

from __future__ import annotations

import pytest
import slicer
from slicer_fakes.application import add_volume
from slicer_fakes.engine import ANSWERS

TOLD = "The first run on this volume takes about 2 min and 3.0 GB of memory."
NOT_YET = "Train tells first how long it will take."


def done(engine) -> list[str]:
    return [entry[0] for entry in engine.did]


def asked(client) -> list[str]:
    return [method for method, _params in client.asked]


@pytest.fixture
def proposed(panel):
    panel.ui.proposeButton.click()
    return panel


def test_the_estimate_is_in_words(panel, settle):
    panel.ui.estimateButton.click()
    settle()
    assert panel.ui.estimateLabel.text == TOLD


@pytest.fixture
def answer(monkeypatch):
    """What the worker answers to `estimate`; to be changed."""
    monkeypatch.setitem(ANSWERS, "estimate", dict(ANSWERS["estimate"]))
    return ANSWERS["estimate"]


def test_a_volume_that_needs_more_memory_than_there_is_is_told_with_the_way_out(panel, answer, settle):
    answer["available_bytes"] = 2**30
    panel.ui.estimateButton.click()
    settle()
    label = panel.ui.estimateLabel
    assert "needs 3.0 GB of memory, but only 1.0 GB are free: close other programs, crop the volume" in label.text
    assert "color" in label.styleSheet
    panel.parameters.device = "cpu"
    assert label.styleSheet == ""
    assert label.text == NOT_YET


def test_a_volume_that_was_cropped_is_estimated_anew(panel, answer, settle, volume, client):
    answer["available_bytes"] = 2**30
    panel.ui.estimateButton.click()
    settle()
    assert panel.train.too_large
    slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume)[4:])
    panel.exit()
    panel.enter()
    assert not panel.train.too_large
    assert panel.ui.estimateLabel.text == NOT_YET
    panel.ui.trainButton.click()
    settle()
    assert asked(client).count("estimate") == 2


@pytest.fixture
def too_large(proposed, answer):
    """A panel whose volume needs more memory than there is, which only the worker knows."""
    answer["available_bytes"] = 2**30
    return proposed


def test_such_a_volume_is_trained_by_the_second_press_alone(too_large, engine, settle):
    too_large.ui.trainButton.click()
    settle()
    assert "start_training" not in done(engine)
    told = too_large.ui.messageLabel.text
    assert told.startswith("It needs 3.0 GB of memory, but only 1.0 GB are free")
    assert told.endswith("Press Train again to train all the same.")
    too_large.ui.trainButton.click()
    settle()
    assert "finish_prediction" in done(engine)
    assert too_large.ui.messageLabel.text == ""


def test_a_warning_that_was_shown_without_training_is_told_again_by_train(too_large, engine, settle):
    too_large.ui.estimateButton.click()
    settle()
    too_large.ui.trainButton.click()
    settle()
    assert "start_training" not in done(engine)
    assert "Press Train again" in too_large.ui.messageLabel.text


def test_a_volume_that_was_trained_all_the_same_is_trained_again_at_once(too_large, engine, settle):
    for _press in range(3):
        too_large.ui.trainButton.click()
        settle()
    assert done(engine).count("finish_training") == 2


def test_the_next_volume_that_is_too_large_is_warned_of_anew(too_large, engine, settle, scene):
    for _press in range(2):
        too_large.ui.trainButton.click()
        settle()
    too_large.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    too_large.ui.trainButton.click()
    settle()
    assert done(engine).count("finish_training") == 1


def test_painting_never_takes_the_place_of_the_second_press(too_large, engine, settle):
    too_large.ui.retrainOnPaintCheckBox.checked = True
    for _stroke in range(3):
        engine.paint(0, 20)
        too_large.train.on_pause()
        settle()
    assert "start_training" not in done(engine)
    too_large.ui.trainButton.click()
    settle()
    engine.paint(0, 30)
    too_large.train.on_pause()
    settle()
    assert done(engine).count("finish_training") == 2


def test_a_gpu_that_is_short_of_memory_is_told_without_alarm(panel, answer, settle):
    answer["available_gpu_bytes"] = 2**30
    panel.ui.estimateButton.click()
    settle()
    assert "The GPU has only 1.0 GB of memory free" in panel.ui.estimateLabel.text
    assert panel.ui.estimateLabel.styleSheet == ""


@pytest.mark.parametrize("available", [None, 4 * 2**30])
def test_nothing_is_warned_of_where_the_memory_suffices_or_is_not_known(panel, answer, settle, available):
    answer["available_bytes"] = available
    panel.ui.estimateButton.click()
    settle()
    assert panel.ui.estimateLabel.text == TOLD


def test_the_estimate_comes_by_itself_before_the_first_training_on_a_volume_and_not_again(
    proposed, client, settle, scene
):
    assert proposed.ui.estimateLabel.text == NOT_YET
    for _training in range(2):
        proposed.ui.trainButton.click()
        settle()
    assert proposed.ui.estimateLabel.text == TOLD
    assert asked(client).count("estimate") == 1
    assert asked(client).index("estimate") < asked(client).index("train")
    proposed.parameters.device = "cpu"
    assert proposed.ui.estimateLabel.text == NOT_YET
    proposed.ui.trainButton.click()
    settle()
    assert asked(client).count("estimate") == 2


def test_the_estimate_comes_as_soon_as_a_worker_is_started_and_is_not_that_of_another_volume(
    panel, client, settle, scene
):
    panel.ui.connectButton.click()
    settle()
    assert asked(client) == ["hello", "estimate"]
    assert panel.ui.estimateLabel.text == TOLD
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    settle()
    assert asked(client) == ["hello", "estimate"]
    assert panel.ui.estimateLabel.text == NOT_YET


def test_no_worker_is_started_for_an_estimate_that_nobody_asked_for(panel, client, settle, scene):
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    settle()
    assert asked(client) == []


def test_an_estimate_that_was_stopped_is_followed_by_no_training(proposed, client, engine, settle):
    proposed.ui.connectButton.click()
    settle()
    proposed.parameters.device = "cpu"
    client.held_back = True
    proposed.ui.trainButton.click()
    proposed.ui.cancelButton.click()
    settle()
    assert "start_training" not in done(engine)
    assert proposed.ui.messageLabel.text == "Estimating was stopped."


def test_an_estimate_for_what_is_no_longer_chosen_is_not_shown(panel, client, settle):
    panel.ui.connectButton.click()
    settle()
    client.held_back = True
    panel.ui.estimateButton.click()
    panel.parameters.device = "cpu"
    client.running.end()
    settle()
    assert panel.ui.estimateLabel.text == NOT_YET
