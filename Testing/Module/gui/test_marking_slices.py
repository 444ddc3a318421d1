"""Which slice is marked complete: the one that is chosen, in view and told, in the panel with faked Slicer widgets."""

from __future__ import annotations

import pytest
from slicer_fakes.application import add_volume


def marked(engine) -> list[tuple]:
    return [entry[1:] for entry in engine.did if entry[0] == "mark_complete"]


def chosen(panel) -> str:
    table = panel.ui.annotationTable
    return table.item(table.currentRow(), 0).text()


def test_the_button_says_what_it_does_to_the_chosen_slice_and_the_line_what_it_did(proposed, engine):
    ui = proposed.ui
    assert ui.completeButton.text == "Mark complete"
    ui.completeButton.click()
    assert ui.annotationTable.item(0, 1).text() == "✓ complete"
    assert ui.completeButton.text == "Not complete"
    assert ui.messageLabel.text == "Sagittal, slice 20 is complete: what is unpainted on it counts as background."
    ui.completeButton.click()
    assert marked(engine) == [(0, 20, True), (0, 20, False)]
    assert ui.completeButton.text == "Mark complete"
    assert ui.messageLabel.text == "Sagittal, slice 20 is not complete any more."


def test_the_button_follows_the_chosen_row(proposed):
    proposed.ui.completeButton.click()
    proposed.ui.annotationTable.setCurrentCell(1, 0)
    assert proposed.ui.completeButton.text == "Mark complete"
    proposed.ui.annotationTable.setCurrentCell(0, 0)
    assert proposed.ui.completeButton.text == "Not complete"


def test_a_suggested_slice_is_the_chosen_one_once_it_is_added(trained, engine):
    trained.ui.suggestionTable.setCurrentCell(0, 0)
    trained.ui.addSuggestionButton.click()
    assert chosen(trained) == "Axial, slice 11"
    trained.ui.completeButton.click()
    assert marked(engine) == [(2, 11, True)]


def test_a_suggested_slice_is_shown_again_where_the_views_were_scrolled_before_it_was_added(trained, engine):
    trained.ui.suggestionTable.setCurrentCell(0, 0)
    engine.shown[2] = 30
    trained.ui.addSuggestionButton.click()
    assert engine.shown[2] == 11


def test_the_first_of_the_added_slices_in_view_is_chosen_and_no_view_is_moved(proposed, engine):
    shown = dict(engine.shown)
    proposed.ui.addSlicesButton.click()
    assert chosen(proposed) == "Coronal, slice 4"
    assert engine.shown == shown
    proposed.ui.completeButton.click()
    assert marked(engine) == [(1, 4, True)]


def test_where_all_slices_in_view_are_on_the_list_the_chosen_one_stays_chosen(proposed):
    proposed.ui.addSlicesButton.click()
    proposed.ui.annotationTable.setCurrentCell(0, 0)
    proposed.ui.addSlicesButton.click()
    assert chosen(proposed) == "Sagittal, slice 20"


def test_a_slice_that_is_not_in_view_is_shown_first_and_marked_by_the_second_press(proposed, engine):
    engine.shown[0] = 33
    proposed.ui.completeButton.click()
    assert marked(engine) == []
    assert engine.shown[0] == 20
    assert proposed.ui.messageLabel.text == "Sagittal, slice 20 was not in view. Look at it now, then press again."
    proposed.ui.completeButton.click()
    assert marked(engine) == [(0, 20, True)]


def test_nothing_is_marked_while_the_views_show_another_volume(trained, engine, scene, settle):
    trained.ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    trained.ui.applyToOtherButton.click()
    settle()
    assert engine.left
    trained.ui.completeButton.click()
    assert not engine.left
    assert marked(engine) == []
    assert "was not in view" in trained.ui.messageLabel.text


def test_no_slice_is_added_while_the_views_show_another_volume(trained, engine, scene, settle):
    trained.ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    trained.ui.applyToOtherButton.click()
    settle()
    before = engine.annotation_slices()
    trained.ui.addSlicesButton.click()
    assert not engine.left
    assert engine.annotation_slices() == before
    assert trained.ui.messageLabel.text == "Another volume was in view. Look at T1 now, then press again."
    trained.ui.addSlicesButton.click()
    assert len(engine.annotation_slices()) > len(before)


def test_a_slice_that_no_view_of_the_layout_can_show_is_not_marked(proposed, engine):
    del engine.shown[0]
    for _press in range(2):
        proposed.ui.completeButton.click()
    assert marked(engine) == []
    told = "Sagittal, slice 20 is in none of the views. Choose a layout that has a view of it."
    assert proposed.ui.messageLabel.text == told


@pytest.mark.parametrize("proposing", [True, False])
def test_without_a_chosen_slice_the_shortcut_asks_for_one(panel, engine, proposing):
    if proposing:
        panel.ui.proposeButton.click()
        panel.ui.removeSliceButton.click()
    panel.annotate.toggle_complete()
    assert marked(engine) == []
    assert panel.ui.messageLabel.text == "Choose a slice of the list first."
