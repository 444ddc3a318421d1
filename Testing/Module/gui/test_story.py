"""The story clicked through in the panel with faked Slicer widgets and a fake engine: what each click asks for."""

from __future__ import annotations

import pytest
import slicer
from slicer_fakes.application import add_volume
from slicer_fakes.engine import HELLO, FakeError


def done(engine) -> list[str]:
    return [entry[0] for entry in engine.did]


def test_a_loaded_volume_is_taken_and_its_seeds_are_ready_to_paint(panel, engine, volume):
    assert engine.did[0] == ("set_input", ["T1"], None)
    assert panel.ui.segmentEditorWidget.segmentationNode() is engine.seeds
    assert panel.ui.segmentEditorWidget.sourceVolumeNode() is volume
    assert panel.ui.segmentationSelector.currentNode() is engine.seeds


def test_label_maps_and_the_uncertainty_are_not_taken_for_scans(panel, engine, scene, volume):
    engine.uncertainty_volume = add_volume(scene, "Uncertainty")
    panel.exit()
    scene.RemoveNode(volume)
    scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    panel.enter()
    assert panel.parameters.input_volume is None
    scan = add_volume(scene, "Next patient")
    panel.exit()
    panel.enter()
    assert panel.parameters.input_volume is scan


def test_channels_on_other_voxels_are_told(panel, scene, qt):
    panel.ui.furtherChannelsSelector.setCheckState(add_volume(scene, "T2"), qt.Qt.Checked)
    assert panel.ui.messageLabel.text == "T2 lies on other voxels and is resampled."


def test_nine_slices_are_proposed_and_the_first_is_shown(proposed, engine):
    assert proposed.ui.annotationTable.rowCount == 9
    assert ("propose_slices", 3, 10, None, False) in engine.did
    assert engine.did[-1][0] == "show_slice"


def test_slices_are_proposed_around_what_was_chosen(panel, engine):
    panel.ui.segmentEditorWidget.mrmlSegmentEditorNode().SetSelectedSegmentID("Segment_2")
    for choice, told in (("the chosen segment", ("Segment_2", False)), ("the whole volume", (None, True))):
        panel.ui.aroundSelector.currentIndex = panel.ui.aroundSelector.findText(choice)
        panel.ui.proposeButton.click()
        assert [entry for entry in engine.did if entry[0] == "propose_slices"][-1] == ("propose_slices", 3, 10, *told)


def test_the_brush_paints_one_slice(panel):
    node = panel.ui.segmentEditorWidget.mrmlSegmentEditorNode()
    assert node.GetAttribute("BrushSphere") == "0"
    assert node.GetOverwriteMode() == slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments


def test_painting_shows_in_the_list_when_the_brush_pauses(proposed, engine):
    engine.paint(0, 20)
    proposed.train.on_pause()
    assert proposed.ui.annotationTable.item(0, 1).text() == "painted"


def test_next_slice_passes_by_what_is_complete_and_begins_anew(proposed, engine):
    for place in [(axis, index) for axis, index in proposed.annotate._table.slices if place_is_not_last(axis, index)]:
        engine.mark_complete(*place)
    proposed.ui.nextSliceButton.click()
    assert engine.did[-1] == ("show_slice", 2, 30)


def place_is_not_last(axis: int, index: int) -> bool:
    return (axis, index) != (2, 30)


def test_slices_are_added_and_removed(proposed, engine):
    proposed.ui.addSlicesButton.click()
    assert proposed.ui.annotationTable.rowCount == 11
    proposed.ui.removeSliceButton.click()
    assert proposed.ui.annotationTable.rowCount == 10
    assert not proposed.ui.removeSliceButton.enabled


def test_train_greets_trains_previews_segments_and_suggests(trained, engine, client):
    assert [method for method, _ in client.asked] == ["hello", "estimate", "train", "preview", "predict", "suggest"]
    assert ("start_preview", [(0, 20), (1, 4), (2, 5)]) in engine.did
    assert trained.ui.suggestionTable.rowCount == 2
    assert not trained.runs.busy


def test_what_the_worker_warned_of_is_still_to_be_read_when_the_volume_is_segmented(proposed, engine, client, settle):
    proposed.ui.trainButton.click()
    warning = "Your work goes on, but is not kept for later."
    client.tell("warning", message=warning)
    settle()
    assert "finish_prediction" in done(engine)
    assert proposed.ui.messageLabel.text == warning


def test_only_the_slices_in_view_if_the_whole_volume_is_not_wanted(proposed, engine, settle):
    proposed.ui.wholeVolumeCheckBox.checked = False
    proposed.ui.trainButton.click()
    settle()
    assert "finish_preview" in done(engine)
    assert "start_prediction" not in done(engine)


def test_what_is_painted_on_other_volumes_is_learnt_if_that_is_wanted(proposed, engine, settle):
    for wanted in (False, True):
        proposed.ui.allPaintingsCheckBox.checked = wanted
        proposed.ui.trainButton.click()
        settle()
        assert engine.all_paintings is wanted


def test_the_device_the_reason_and_the_licence_are_shown(trained):
    assert "No GPU: this build of torch has no CUDA." in trained.ui.deviceLabel.text
    assert "CC BY-NC 4.0" in trained.ui.licenceLabel.text
    trained.ui.bundleSelector.currentIndex = trained.ui.bundleSelector.findText("tiny")
    assert "CC0" in trained.ui.licenceLabel.text
    assert trained.ui.licenceLabel.toolTip == "Random weights."


def test_uncertainty_is_laid_over_the_scan_and_taken_away(trained, engine):
    trained.ui.uncertaintySlider.value = 0.4
    assert engine.did[-1] == ("show_uncertainty", pytest.approx(0.4))
    trained.ui.uncertaintySlider.value = 0.0
    assert engine.did[-1] == ("show_uncertainty", 0.0)


def test_an_error_while_the_uncertainty_is_shown_is_told(trained, engine, caplog):
    engine.faults["show_uncertainty"] = RuntimeError("boom")
    trained.ui.uncertaintySlider.value = 0.4
    assert "View / Error log" in trained.ui.messageLabel.text
    assert "boom" in caplog.text


@pytest.mark.parametrize("button", ["restartButton", "deleteWorkButton"])
def test_undo_is_offered_after_the_worker_has_ended(trained, engine, settle, agreeing, button):
    trained.ui.applyButton.click()
    assert trained.ui.undoApplyButton.enabled
    getattr(trained.ui, button).click()
    settle()
    assert trained.ui.undoApplyButton.enabled
    trained.ui.undoApplyButton.click()
    assert engine.did[-1] == ("undo_apply",)


def test_undo_is_not_offered_in_another_scene(trained, scene):
    trained.ui.applyButton.click()
    scene.Clear(False)
    trained.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert not trained.ui.undoApplyButton.enabled


def test_a_suggested_slice_is_shown_and_added(trained, engine):
    trained.ui.suggestionTable.setCurrentCell(0, 0)
    assert engine.did[-1] == ("show_slice", 2, 11)
    trained.ui.addSuggestionButton.click()
    assert ("add_slice", 2, 11) in engine.did
    assert trained.ui.annotationTable.rowCount == 10


def test_apply_waits_until_the_whole_volume_was_segmented_as_it_was_learnt_last(proposed, settle):
    ui = proposed.ui
    for whole in (False, True, False):
        ui.wholeVolumeCheckBox.checked = whole
        ui.trainButton.click()
        settle()
        assert ui.applyButton.enabled == whole
    ui.predictButton.click()
    settle()
    assert ui.applyButton.enabled


def test_apply_goes_where_the_user_chose_and_undo_takes_it_back(trained, engine, scene):
    target = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    trained.ui.resultSelector.setCurrentNode(target)
    trained.ui.overwriteSelector.currentIndex = trained.ui.overwriteSelector.findText("visible")
    assert not trained.ui.undoApplyButton.enabled
    trained.ui.applyButton.click()
    assert engine.did[-2:] == [("set_result", "Mine"), ("apply_preview", "visible")]
    trained.ui.undoApplyButton.click()
    assert engine.did[-1] == ("undo_apply",)
    assert trained.ui.messageLabel.text == "Edited since Apply and left as it is: Putamen."
    assert not trained.ui.undoApplyButton.enabled


def test_what_apply_costs_of_the_users_own_work_is_told(trained, engine):
    engine.edits_replaced = ("Caudate", "Putamen")
    trained.ui.applyButton.click()
    told = "The result is in the segmentation; Undo takes it back."
    assert trained.ui.messageLabel.text == f"{told} Replaced what was drawn or edited there by hand: Caudate, Putamen."


def test_which_other_segments_lose_voxels_to_apply_is_told_with_the_way_to_keep_them(trained, engine):
    engine.voxels_taken = ("Tumour", "Oedema")
    trained.ui.applyButton.click()
    told = "The result is in the segmentation; Undo takes it back."
    lost = "Lost voxels to it: Tumour, Oedema; with Overwrite at none they keep them."
    assert trained.ui.messageLabel.text == f"{told} {lost}"


def test_without_a_choice_apply_makes_a_new_segmentation_also_the_second_time(trained, engine):
    trained.ui.applyButton.click()
    first = trained.ui.resultSelector.currentNode()
    trained.ui.resultSelector.setCurrentNode(None)
    trained.ui.applyButton.click()
    assert trained.ui.resultSelector.currentNode() not in {None, first}


def test_a_volume_that_is_refused_leaves_nothing_to_paint_or_train_on(proposed, engine, scene, volume):
    engine.faults["set_input"] = FakeError("Localizer is a single slice.")
    proposed.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Localizer"))
    assert proposed.ui.messageLabel.text == "Localizer is a single slice."
    assert not proposed.ui.trainButton.enabled
    assert not proposed.ui.proposeButton.enabled
    assert proposed.ui.annotationTable.rowCount == 0
    assert proposed.ui.segmentEditorWidget.segmentationNode() is None
    proposed.ui.inputVolumeSelector.setCurrentNode(volume)
    assert proposed.ui.trainButton.enabled
    assert proposed.ui.segmentEditorWidget.segmentationNode() is engine.seeds


def test_where_all_slices_are_complete_next_says_so(proposed, engine):
    for _ in engine.annotation_slices():
        proposed.ui.completeButton.click()
        proposed.ui.nextSliceButton.click()
    assert proposed.ui.messageLabel.text.startswith("All slices of the list are complete")


def test_only_the_largest_parts_are_kept_if_that_is_wanted(panel, engine):
    assert not engine.settings.keep_largest
    panel.ui.keepLargestCheckBox.checked = True
    assert engine.settings.keep_largest


def test_a_segmenter_is_saved_loaded_and_applied(trained, engine, scene, settle):
    ui = trained.ui
    ui.segmenterPathEdit.currentPath = "/data/balls"
    ui.saveSegmenterButton.click()
    settle()
    assert engine.did[-1] == ("start_saving", "/data/balls.safetensors")
    assert ui.messageLabel.text == "The segmenter was saved."
    ui.loadSegmenterButton.click()
    settle()
    assert ui.messageLabel.text == "The segmenter was loaded."
    assert engine.did[-2:] == [("start_loading", "/data/balls.safetensors"), ("finish_loading",)]
    assert ui.bundleSelector.currentText == "tiny"
    assert not ui.applyToOtherButton.enabled
    ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    ui.applyToOtherButton.click()
    settle()
    assert done(engine)[-4:] == ["start_applying", "finish_applying", "show_uncertainty", "leave_views"]


def test_a_model_of_several_channels_is_pointed_to_where_they_can_be_chosen(trained, engine, scene):
    one_channel = HELLO["bundles"]
    trained.input.bundles.offer([{**bundle, "channels": 2} for bundle in one_channel])
    trained.ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    trained.ui.applyToOtherButton.click()
    assert "works on 2 volumes of the same body" in trained.ui.messageLabel.text
    assert "Segment the whole volume" in trained.ui.messageLabel.text
    assert "start_applying" not in done(engine)


@pytest.mark.parametrize("agreed", [True, False])
def test_a_segmenter_that_is_there_already_is_replaced_only_with_consent(
    trained, engine, settle, tmp_path, monkeypatch, agreed
):
    questions = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text: questions.append(text) or agreed)
    trained.ui.segmenterPathEdit.currentPath = str(tmp_path / "balls.safetensors")
    trained.ui.saveSegmenterButton.click()
    settle()
    assert questions == []
    (tmp_path / "balls.safetensors").touch()
    trained.ui.saveSegmenterButton.click()
    settle()
    assert questions == ["Replace the segmenter balls.safetensors?"]
    assert done(engine).count("start_saving") == 1 + agreed


def test_a_segmenter_without_a_file_is_asked_for(trained):
    trained.ui.saveSegmenterButton.click()
    assert trained.ui.messageLabel.text.startswith("No file was chosen.")


def test_shortcuts_work_only_while_the_module_is_open(proposed, engine, qt):
    window = slicer.app.main_window
    keys = {shortcut.key.toString(): shortcut for shortcut in window.findChildren(qt.QShortcut)}
    assert set(keys) == {"Ctrl+Shift+N", "Ctrl+Shift+C", "Ctrl+Shift+L"}
    keys["Ctrl+Shift+C"].activated.emit()
    assert engine.did[-1] == ("mark_complete", 0, 20, True)
    proposed.exit()
    assert not any(shortcut.enabled for shortcut in keys.values())


@pytest.mark.parametrize("stage", ["hello", "estimate", "train", "preview", "predict", "suggest"])
def test_what_goes_wrong_is_told_and_the_next_click_works(proposed, client, engine, settle, stage):
    client.faults[stage] = FakeError("The memory is full.", "Close other programs.")
    proposed.ui.trainButton.click()
    settle()
    assert proposed.ui.messageLabel.text == "The memory is full. Close other programs."
    assert not proposed.runs.busy
    proposed.ui.trainButton.click()
    settle()
    assert proposed.ui.messageLabel.text == ""
    assert "finish_prediction" in done(engine)


@pytest.mark.parametrize(
    ("method", "button"),
    [
        ("propose_slices", "proposeButton"),
        ("add_slice", "addSlicesButton"),
        ("remove_slice", "removeSliceButton"),
        ("mark_complete", "completeButton"),
        ("show_slice", "nextSliceButton"),
        ("fit_background_region", "fitRegionButton"),
        ("apply_preview", "applyButton"),
        ("start_training", "trainButton"),
        ("start_prediction", "predictButton"),
        ("annotation_slices", "proposeButton"),
        ("annotation_slices", "nextSliceButton"),
        ("annotation_slices", "completeButton"),
    ],
)
def test_an_unforeseen_error_behind_any_button_is_told(trained, engine, settle, caplog, method, button):
    engine.faults[method] = RuntimeError("boom")
    getattr(trained.ui, button).click()
    settle()
    assert "View / Error log" in trained.ui.messageLabel.text
    assert "boom" in caplog.text


def test_painting_goes_on_in_the_scene_that_follows_a_closed_one(panel, scene):
    editor = panel.ui.segmentEditorWidget
    scene.Clear(False)
    listening = [call for call in editor.calls if call in ("setupViewObservations", "removeViewObservations")]
    assert listening[-1] == "setupViewObservations"
    volume = add_volume(scene, "Next patient")
    panel.ui.inputVolumeSelector.setCurrentNode(volume)
    assert editor.mrmlSegmentEditorNode().GetScene() is scene
    assert editor.segmentationNode() is panel.logic.engine.seeds
    assert editor.sourceVolumeNode() is volume
