"""The background region in the panel with faked Slicer widgets: fitted, shown, hidden and removed."""

from __future__ import annotations

import pytest
from slicer_fakes.application import add_volume
from slicer_fakes.engine import FakeError


@pytest.fixture
def fitted(proposed):
    proposed.ui.fitRegionButton.click()
    return proposed


def test_the_region_is_fitted_shown_and_can_be_hidden(fitted, engine):
    assert ("fit_background_region", 5.0) in engine.did
    assert fitted.ui.showRegionCheckBox.checked
    assert engine.roi.GetDisplayVisibility()
    fitted.ui.showRegionCheckBox.click()
    assert not engine.roi.GetDisplayVisibility()
    fitted.ui.showRegionCheckBox.click()
    assert engine.roi.GetDisplayVisibility()


def test_nothing_can_be_shown_or_removed_without_a_region(proposed):
    assert not proposed.ui.showRegionCheckBox.enabled
    assert not proposed.ui.removeRegionButton.enabled


@pytest.mark.parametrize("shown", [True, False])
def test_the_box_tells_whether_the_region_is_in_view_when_the_module_is_opened_again(fitted, engine, shown):
    fitted.exit()
    engine.roi.SetDisplayVisibility(shown)
    fitted.ui.showRegionCheckBox.blockSignals(True)
    fitted.ui.showRegionCheckBox.checked = not shown
    fitted.ui.showRegionCheckBox.blockSignals(False)
    fitted.enter()
    assert fitted.ui.showRegionCheckBox.checked == shown
    fitted.ui.showRegionCheckBox.click()
    assert bool(engine.roi.GetDisplayVisibility()) != shown


def test_the_box_follows_the_region_of_the_volume_that_is_chosen(fitted, engine, scene, volume):
    region, engine.roi = engine.roi, None
    fitted.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert not fitted.ui.showRegionCheckBox.checked
    assert not fitted.ui.showRegionCheckBox.enabled
    engine.roi = region
    fitted.ui.inputVolumeSelector.setCurrentNode(volume)
    assert fitted.ui.showRegionCheckBox.checked


def test_a_region_that_was_hidden_is_in_view_once_it_is_fitted_again(fitted, engine):
    fitted.ui.showRegionCheckBox.click()
    fitted.ui.fitRegionButton.click()
    assert fitted.ui.showRegionCheckBox.checked
    assert engine.roi.GetDisplayVisibility()


def test_removing_the_region_is_told(fitted, engine):
    fitted.ui.removeRegionButton.click()
    assert engine.roi is None
    assert not fitted.ui.showRegionCheckBox.checked
    assert not fitted.ui.removeRegionButton.enabled
    told = "The background region was removed: only complete slices tell what is background."
    assert fitted.ui.messageLabel.text == told


def test_a_region_that_cannot_be_removed_is_told(fitted, engine):
    engine.faults["remove_background_region"] = FakeError("The region is locked.")
    fitted.ui.removeRegionButton.click()
    assert fitted.ui.messageLabel.text == "The region is locked."
    assert fitted.ui.removeRegionButton.enabled


def test_a_region_that_was_deleted_elsewhere_is_noticed_at_the_next_click(fitted, engine):
    engine.remove_background_region()
    fitted.ui.showRegionCheckBox.click()
    assert fitted.ui.messageLabel.text == ""
    assert not fitted.ui.showRegionCheckBox.enabled


def test_showing_the_region_returns_to_its_volume(trained, engine, scene, settle):
    trained.ui.fitRegionButton.click()
    trained.ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    trained.ui.applyToOtherButton.click()
    settle()
    trained.ui.showRegionCheckBox.click()
    assert not engine.left


def test_an_error_while_the_region_is_shown_is_told(fitted, engine, monkeypatch, caplog):
    def fail() -> bool:
        raise RuntimeError("boom")

    monkeypatch.setattr(engine, "return_to_views", fail)
    fitted.ui.showRegionCheckBox.click()
    assert "View / Error log" in fitted.ui.messageLabel.text
    assert "boom" in caplog.text
