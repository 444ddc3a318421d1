"""Training again, by a click or by itself whenever the work pauses, in the panel with faked Slicer widgets."""

from __future__ import annotations

import pytest
import slicer


def done(engine) -> list[str]:
    return [entry[0] for entry in engine.did]


def test_training_again_goes_on_from_what_was_learnt(trained, engine, settle):
    trained.ui.trainButton.click()
    settle()
    assert [entry[1] for entry in engine.did if entry[0] == "start_training"] == [False, True]


@pytest.fixture
def paint_and_pause(trained, engine):
    """Paint in a panel that trains again by itself, and wait until it notices."""
    trained.ui.retrainOnPaintCheckBox.checked = True

    def work() -> None:
        engine.paint(1, 25)
        trained.train.on_pause()

    return work


def test_painting_trains_again_if_that_is_wanted(paint_and_pause, engine, settle):
    paint_and_pause()
    settle()
    assert done(engine).count("finish_training") == 2


def test_a_slice_that_is_complete_without_any_paint_trains_nothing_by_itself(paint_and_pause, trained, engine, settle):
    engine.nothing_painted = True
    paint_and_pause()
    settle()
    assert done(engine).count("start_training") == 1


def test_the_whole_volume_gives_way_to_what_is_painted_meanwhile(trained, paint_and_pause, engine, client, settle):
    client.held_back = True
    trained.ui.predictButton.click()
    paint_and_pause()
    client.held_back = False
    settle()
    assert not trained.runs.busy
    trained.train.on_pause()
    settle()
    assert done(engine).count("finish_training") == 2


def test_a_training_does_not_give_way(trained, paint_and_pause, client):
    client.held_back = True
    trained.ui.trainButton.click()
    paint_and_pause()
    assert trained.runs.busy
    assert trained.ui.cancelButton.enabled


def test_painting_does_not_train_by_itself(trained, engine, settle):
    engine.paint(1, 25)
    trained.train.on_pause()
    settle()
    assert done(engine).count("finish_training") == 1


@pytest.fixture
def no_pause(module, monkeypatch):
    """The pause after a stroke is over as soon as anyone looks."""
    monkeypatch.setattr("DiffusionSegWidgets.train_section.PAUSE_MILLISECONDS", 0)


@pytest.fixture
def retraining(no_pause, trained, settle):
    """A panel with a region and a complete slice that trains again by itself."""
    trained.ui.fitRegionButton.click()
    trained.ui.completeButton.click()
    settle()
    trained.ui.retrainOnPaintCheckBox.checked = True
    return trained


@pytest.mark.parametrize("button", ["completeButton", "fitRegionButton", "removeRegionButton", "removeSliceButton"])
def test_whatever_changes_what_is_background_trains_again(retraining, engine, settle, button):
    before = done(engine).count("finish_training")
    getattr(retraining.ui, button).click()
    settle()
    assert done(engine).count("finish_training") == before + 1


def test_a_region_whose_faces_are_dragged_trains_again(retraining, engine, settle):
    before = done(engine).count("finish_training")
    engine.roi.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    settle()
    assert done(engine).count("finish_training") == before + 1


def test_a_region_of_another_painting_trains_nothing(retraining, engine, settle):
    region, engine.roi = engine.roi, None
    retraining.annotate.enable()
    before = done(engine).count("finish_training")
    region.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    settle()
    assert done(engine).count("finish_training") == before


def test_a_slice_that_was_not_complete_is_removed_without_training(retraining, engine, settle):
    before = done(engine).count("finish_training")
    retraining.ui.annotationTable.setCurrentCell(1, 0)
    retraining.ui.removeSliceButton.click()
    settle()
    assert done(engine).count("finish_training") == before


def test_showing_a_slice_before_it_is_marked_trains_nothing(retraining, engine, settle):
    before = done(engine).count("finish_training")
    engine.shown[0] = 33
    retraining.ui.completeButton.click()
    settle()
    assert done(engine).count("finish_training") == before


@pytest.mark.usefixtures("no_pause")
def test_a_segment_that_is_deleted_changes_the_states_of_the_slices(proposed, engine, settle):
    engine.paint(0, 20)
    settle()
    assert proposed.ui.annotationTable.item(0, 1).text() == "painted"
    engine.unpaint(0, 20)
    engine.seeds.GetSegmentation().RemoveSegment("Segment_1")
    settle()
    assert proposed.ui.annotationTable.item(0, 1).text() == "to paint"


@pytest.mark.usefixtures("no_pause")
def test_painting_that_is_chosen_no_longer_is_not_listened_to(trained, engine, settle, scene):
    before = engine.seeds
    trained.ui.retrainOnPaintCheckBox.checked = True
    trained.ui.segmentationSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Another"))
    settle()
    count = done(engine).count("finish_training")
    before.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
    before.GetSegmentation().RemoveSegment("Segment_1")
    settle()
    assert done(engine).count("finish_training") == count


def test_a_stroke_does_not_begin_with_volumes_that_no_click_has_begun_with(paint_and_pause, trained, engine, settle):
    trained.ui.allPaintingsCheckBox.checked = True
    paint_and_pause()
    settle()
    assert done(engine).count("start_training") == 1
    trained.ui.trainButton.click()
    settle()
    paint_and_pause()
    settle()
    assert done(engine).count("finish_training") == 3
    assert engine.all_paintings
