"""The scan is prepared while the user paints, in the panel with faked Slicer widgets: when, and what comes first."""

from __future__ import annotations

import pytest
import slicer
from slicer_fakes.application import add_volume
from slicer_fakes.engine import ANSWERS, FakeError

pytestmark = pytest.mark.usefixtures("painting_prepares")


def asked(client) -> list[str]:
    return [method for method, _params in client.asked]


def paint(panel, engine) -> None:
    """A stroke, and the pause after it."""
    engine.paint(0, 20)
    panel.train.on_pause()


@pytest.fixture
def preparing(panel, client, press_and_hold):
    """A panel that prepares the scan until the test ends it."""
    press_and_hold(panel.ui.proposeButton)
    assert asked(client)[-1] == "extract"
    return panel


def let_go(client, error: Exception | None = None) -> None:
    """The call that was held back ends, and so does all that follows."""
    client.held_back = False
    client.running.end(error)


def test_proposed_slices_start_the_worker_tell_the_estimate_and_prepare(panel, client, settle):
    panel.ui.proposeButton.click()
    settle()
    assert asked(client) == ["hello", "estimate", "extract"]
    assert panel.ui.estimateLabel.text.startswith("The first run on this volume takes about")
    assert panel.ui.preparationLabel.text == "The scan is prepared: Train begins with learning at once."
    assert not panel.ui.stopPreparingButton.isVisibleTo(panel.parent)


def test_the_first_stroke_prepares_and_the_next_ones_do_not_again(panel, client, engine, settle):
    for _stroke in range(3):
        paint(panel, engine)
        settle()
    assert asked(client).count("extract") == 1


def test_nothing_begins_before_the_user_has_done_anything(panel, client, scene, settle):
    scene.InvokeEvent(scene.EndImportEvent)
    panel.exit()
    panel.enter()
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    settle()
    assert asked(client) == []


def test_it_can_be_switched_off(panel, client, engine, settle):
    panel.ui.prepareCheckBox.checked = False
    panel.ui.proposeButton.click()
    paint(panel, engine)
    settle()
    assert asked(client) == []


def test_switching_it_off_stops_what_is_under_way(preparing, client, settle):
    preparing.ui.prepareCheckBox.checked = False
    settle()
    assert client.running.done
    assert preparing.runs.idle
    assert preparing.ui.preparationLabel.text == ""


def test_how_far_it_is_is_told_quietly(preparing, client, settle):
    client.tell("progress", stage="features", done=50, total=100)
    settle()
    ui = preparing.ui
    assert ui.preparationLabel.text == "Preparing the scan while you paint - 67 %"
    assert ui.stopPreparingButton.isVisibleTo(preparing.parent)
    assert not ui.runFrame.isVisibleTo(preparing.parent)


def test_the_share_only_grows_from_stage_to_stage(module):
    from DiffusionSegWidgets.preparation import SHARES

    edges = [edge for share in SHARES.values() for edge in share]
    assert edges[0] == 0
    assert edges[-1] == 1
    assert edges == sorted(edges)


def test_everything_can_be_used_meanwhile(preparing):
    ui = preparing.ui
    for name in ("trainButton", "predictButton", "proposeButton", "inputVolumeSelector", "loadSegmenterButton"):
        assert getattr(ui, name).enabled, name


def test_train_goes_on_with_what_is_under_way(preparing, client, engine, settle):
    extraction = client.running
    preparing.ui.trainButton.click()
    settle()
    assert not extraction.done
    assert preparing.ui.runFrame.isVisibleTo(preparing.parent)
    assert not preparing.ui.stopPreparingButton.isVisibleTo(preparing.parent)
    client.tell("progress", stage="features", done=3, total=12)
    settle()
    assert preparing.ui.stageLabel.text == "Computing features"
    let_go(client)
    settle()
    assert asked(client) == ["hello", "estimate", "extract", "train", "preview", "predict", "suggest"]
    assert preparing.ui.messageLabel.text == ""
    assert preparing.ui.preparationLabel.text == ""


def test_what_is_painted_while_train_waits_is_learnt_too(preparing, client, engine, settle):
    preparing.ui.trainButton.click()
    engine.paint(1, 25)
    assert ("start_training", False) not in engine.did
    let_go(client)
    settle()
    assert ("start_training", False) in engine.did


def test_train_needs_no_preparation_that_has_not_begun(panel, client, settle):
    client.held_back = True
    panel.ui.proposeButton.click()
    panel.ui.trainButton.click()
    settle()
    assert asked(client) == ["hello"]
    let_go(client)
    settle()
    assert asked(client) == ["hello", "hello", "estimate", "train", "preview", "predict", "suggest"]


def test_cancel_stops_a_train_that_waits_and_what_it_waits_for(preparing, client, settle):
    preparing.ui.trainButton.click()
    preparing.ui.cancelButton.click()
    settle()
    assert client.running.done
    assert preparing.runs.idle
    assert preparing.ui.messageLabel.text == "Training was stopped."
    assert preparing.ui.trainButton.enabled
    assert "train" not in asked(client)


def test_cancel_leaves_the_volume_to_train(preparing, client, engine, settle):
    client.tell("progress", stage="features", done=3, total=12)
    settle()
    preparing.ui.stopPreparingButton.click()
    settle()
    assert preparing.ui.preparationLabel.text == "Preparing was stopped; Train does it."
    client.held_back = False
    paint(preparing, engine)
    settle()
    assert asked(client).count("extract") == 1
    preparing.ui.trainButton.click()
    settle()
    assert "suggest" in asked(client)


@pytest.mark.parametrize("choice", ["volume", "channel", "model", "device"])
def test_another_choice_stops_it_and_the_next_stroke_prepares_that(preparing, client, engine, scene, settle, choice):
    extraction, other = client.running, add_volume(scene, "Other")
    if choice == "volume":
        preparing.parameters.input_volume = other
    elif choice == "channel":
        preparing.parameters.further_channels = [other]
    elif choice == "model":
        preparing.parameters.bundle = "tiny"
    else:
        preparing.parameters.device = "cpu"
    assert extraction.done
    client.held_back = False
    settle()
    assert preparing.ui.preparationLabel.text == ""
    assert asked(client).count("extract") == 1
    paint(preparing, engine)
    settle()
    assert asked(client).count("extract") == 2
    assert preparing.ui.preparationLabel.text.startswith("The scan is prepared")


def test_what_is_said_of_a_volume_goes_with_it(panel, client, scene, settle):
    panel.ui.proposeButton.click()
    settle()
    panel.parameters.input_volume = add_volume(scene, "Other")
    assert panel.ui.preparationLabel.text == ""


@pytest.mark.parametrize("stage", ["hello", "estimate", "extract"])
def test_what_goes_wrong_is_told_in_the_line_alone_and_properly_by_train(panel, client, engine, settle, stage):
    problem = FakeError("The memory is full.", "Close other programs.")
    client.faults[stage] = problem
    panel.ui.proposeButton.click()
    settle()
    assert panel.ui.messageLabel.text == ""
    assert panel.ui.preparationLabel.text == "The scan could not be prepared; press Train to see why."
    assert panel.ui.preparationLabel.toolTip == "The memory is full. Close other programs."
    paint(panel, engine)
    settle()
    assert asked(client)[-1] == stage, "it is not tried again by itself"
    client.faults["train"] = problem
    panel.ui.trainButton.click()
    settle()
    assert panel.ui.messageLabel.text == "The memory is full. Close other programs."
    panel.ui.trainButton.click()
    settle()
    assert panel.ui.messageLabel.text == ""
    assert panel.ui.preparationLabel.text == ""


def test_a_failure_that_train_waits_for_does_not_keep_it_from_training(preparing, client, settle):
    preparing.ui.trainButton.click()
    let_go(client, FakeError("The memory is full."))
    settle()
    assert asked(client)[-1] == "suggest"


def test_what_needs_no_features_comes_first_and_the_next_stroke_begins_anew(preparing, client, engine, settle):
    extraction = client.running
    preparing.ui.segmenterPathEdit.currentPath = "/data/balls"
    client.held_back = False
    preparing.ui.loadSegmenterButton.click()
    assert extraction.done
    settle()
    assert preparing.ui.messageLabel.text == "The segmenter was loaded."
    preparing.parameters.bundle = "brain-t1"
    paint(preparing, engine)
    settle()
    assert asked(client).count("extract") == 2


def test_a_worker_that_is_just_starting_is_not_ended_by_what_comes_first(panel, client, scene, settle):
    client.held_back = True
    panel.ui.proposeButton.click()
    greeting = client.running
    panel.parameters.input_volume = add_volume(scene, "Other")
    assert not greeting.done
    let_go(client)
    settle()
    assert asked(client) == ["hello"]
    assert panel.runs.idle


def test_a_training_that_painting_starts_takes_its_place(panel, client, engine, settle):
    panel.ui.retrainOnPaintCheckBox.checked = True
    paint(panel, engine)
    settle()
    assert asked(client)[:3] == ["hello", "estimate", "train"]


def test_what_training_has_computed_is_not_prepared(panel, client, engine, settle):
    panel.ui.prepareCheckBox.checked = False
    panel.ui.proposeButton.click()
    panel.ui.prepareCheckBox.checked = True
    panel.ui.trainButton.click()
    settle()
    paint(panel, engine)
    settle()
    assert "extract" not in asked(client)


def test_closing_the_scene_stops_it_also_behind_another_module(preparing, client, scene, settle):
    extraction = client.running
    client.tell("progress", stage="features", done=3, total=12)
    settle()
    preparing.exit()
    preparing.parent.isEntered = False
    scene.Clear(False)
    assert extraction.done
    assert preparing.runs.idle
    assert preparing.ui.preparationLabel.text == ""


def test_a_deleted_volume_stops_it(preparing, client, scene, volume, settle):
    extraction = client.running
    scene.RemoveNode(volume)
    assert extraction.done
    settle()
    assert preparing.runs.idle


@pytest.mark.parametrize("button", ["restartButton", "deleteWorkButton"])
def test_a_worker_that_is_ended_meanwhile_is_no_failure(preparing, client, settle, agreeing, button):
    client.held_back = False
    getattr(preparing.ui, button).click()
    settle()
    assert preparing.runs.idle
    assert preparing.ui.preparationLabel.text == ""
    assert "stopped" not in preparing.ui.messageLabel.text


def test_a_warning_that_comes_meanwhile_is_shown(preparing, client, settle):
    client.tell("warning", message="The disk is full.", hint="Delete kept work.")
    settle()
    assert preparing.ui.messageLabel.text == "The disk is full. Delete kept work."


def test_a_volume_that_may_not_fit_into_the_memory_is_left_to_train(panel, client, settle, monkeypatch):
    monkeypatch.setitem(ANSWERS, "estimate", {**ANSWERS["estimate"], "available_bytes": 2**30})
    panel.ui.proposeButton.click()
    settle()
    assert asked(client) == ["hello", "estimate"]
    assert "more memory than there is" in panel.ui.preparationLabel.text


def test_what_is_found_doubtful_quietly_is_still_told_after_the_next_click_and_not_of_another_volume(
    preparing, client, engine, scene, settle
):
    engine.doubts = ["The scan hardly looks like those that the model was made for."]
    let_go(client)
    settle()
    preparing.ui.proposeButton.click()
    label = preparing.ui.doubtsLabel
    assert label.text == engine.doubts[0]
    assert label.isVisibleTo(preparing.parent)
    engine.doubts = []
    preparing.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert not label.isVisibleTo(preparing.parent)


def test_a_volume_that_was_too_large_is_prepared_after_it_was_cropped(
    panel, client, engine, settle, volume, monkeypatch
):
    monkeypatch.setitem(ANSWERS, "estimate", {**ANSWERS["estimate"], "available_bytes": 2**30})
    paint(panel, engine)
    settle()
    assert "extract" not in asked(client)
    monkeypatch.setitem(ANSWERS, "estimate", {**ANSWERS["estimate"], "available_bytes": 2**40})
    slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume)[4:])
    paint(panel, engine)
    settle()
    assert asked(client)[-1] == "extract"
