"""The result of another volume is reviewed as the first one's is, in the panel with faked Slicer widgets."""

from __future__ import annotations

import pytest
from slicer_fakes.application import add_volume


@pytest.fixture
def other(scene):
    return add_volume(scene, "Next patient")


@pytest.fixture
def segmented(trained, engine, scene, other, settle):
    """A panel whose views show the result of another volume, with a map of its own and a doubt."""
    engine.uncertainty_instead = add_volume(scene, "Next patient uncertainty")
    engine.doubts_instead = ["Next patient: The scan hardly looks like those that the model was made for."]
    trained.ui.otherVolumeSelector.setCurrentNode(other)
    trained.ui.applyToOtherButton.click()
    settle()
    return trained


def test_the_slider_lays_its_own_map_over_it(segmented, engine):
    assert segmented.ui.uncertaintySlider.enabled
    segmented.ui.uncertaintySlider.value = 0.4
    assert engine.did[-1] == ("show_uncertainty", pytest.approx(0.4))
    assert engine.left


def test_the_slider_stays_where_it_is_and_shows_the_first_volumes_map_once_that_is_back(segmented, engine):
    segmented.ui.uncertaintySlider.value = 0.4
    engine.did.clear()
    segmented.ui.annotationTable.setCurrentCell(3, 0)
    assert not engine.left
    assert ("show_uncertainty", pytest.approx(0.4)) in engine.did
    assert segmented.ui.uncertaintySlider.value == pytest.approx(0.4)


def test_choosing_another_painting_shows_the_first_volumes_map_too(segmented, engine):
    segmented.ui.uncertaintySlider.value = 0.4
    engine.did.clear()
    segmented.ui.segmentationSelector.setCurrentNode(None)
    assert not engine.left
    assert engine.did[-1] == ("show_uncertainty", pytest.approx(0.4))


def test_the_slider_works_without_a_first_result(panel, engine, other, settle, scene):
    assert not panel.ui.uncertaintySlider.enabled
    engine.uncertainty_instead = add_volume(scene, "Next patient uncertainty")
    panel.ui.otherVolumeSelector.setCurrentNode(other)
    panel.ui.applyToOtherButton.click()
    settle()
    assert panel.ui.uncertaintySlider.enabled


def test_what_is_doubted_of_it_is_told_until_the_first_volume_is_back(segmented, engine):
    label = segmented.ui.doubtsLabel
    assert label.text == engine.doubts_instead[0]
    segmented.ui.estimateButton.click()
    assert label.text == engine.doubts_instead[0]
    segmented.ui.annotationTable.setCurrentCell(3, 0)
    assert label.text == ""
