"""The switch of the preview and the preview itself follow each other, in the panel with faked Slicer widgets."""

from __future__ import annotations

from slicer_fakes.application import add_volume


def test_without_a_preview_there_is_nothing_to_show(proposed):
    assert not proposed.ui.showPreviewCheckBox.enabled
    assert not proposed.ui.showPreviewCheckBox.checked


def test_a_preview_that_is_found_is_shown(trained):
    assert trained.ui.showPreviewCheckBox.enabled
    assert trained.ui.showPreviewCheckBox.checked


def test_the_switch_hides_and_shows_it(trained, engine):
    for shown in (False, True):
        trained.ui.showPreviewCheckBox.click()
        assert bool(engine.preview.GetDisplayVisibility()) is shown


def test_the_switch_follows_where_it_is_hidden_or_shown_elsewhere(trained, engine):
    for shown in (False, True):
        engine.preview.SetDisplayVisibility(shown)
        assert trained.ui.showPreviewCheckBox.checked is shown


def test_what_was_done_to_it_behind_another_modules_back_is_seen_on_coming_back(trained, engine):
    trained.exit()
    engine.preview.SetDisplayVisibility(False)
    trained.enter()
    assert not trained.ui.showPreviewCheckBox.checked


def test_apply_and_undo_move_the_switch(trained):
    trained.ui.applyButton.click()
    assert not trained.ui.showPreviewCheckBox.checked
    trained.ui.undoApplyButton.click()
    assert trained.ui.showPreviewCheckBox.checked


def test_it_can_be_shown_and_hidden_while_work_goes_on(trained, engine, press_and_hold):
    press_and_hold(trained.ui.trainButton)
    trained.ui.showPreviewCheckBox.click()
    assert not engine.preview.GetDisplayVisibility()


def test_showing_it_brings_its_volume_back_into_the_views(trained, engine, scene):
    trained.ui.showPreviewCheckBox.click()
    engine.leave_views(add_volume(scene, "Next patient"))
    trained.ui.showPreviewCheckBox.click()
    assert not engine.left


def test_the_preview_of_another_volume_is_not_followed_any_more(trained, engine, scene):
    before = engine.preview
    engine.preview = None
    trained.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert not trained.ui.showPreviewCheckBox.enabled
    before.SetDisplayVisibility(False)
    before.SetDisplayVisibility(True)
    assert not trained.ui.showPreviewCheckBox.checked


def test_a_closed_scene_has_nothing_to_show(trained, scene):
    scene.Clear(False)
    assert not trained.ui.showPreviewCheckBox.enabled
    assert not trained.ui.showPreviewCheckBox.checked
