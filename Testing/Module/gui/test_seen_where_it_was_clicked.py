"""What a click brings about is in sight in a module panel that scrolls, as Slicer's does around faked widgets."""

from __future__ import annotations

import pytest
import slicer
from slicer_fakes.engine import FakeError

HEIGHT = 700


@pytest.fixture
def area(qt, trained, application):
    """The part of the panel that fits onto the screen."""
    area = qt.QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(trained.parent)
    area.resize(420, HEIGHT)
    area.show()
    application.processEvents()
    yield area
    area.takeWidget()


@pytest.fixture
def in_sight(area, qt):
    def found(widget) -> bool:
        top = widget.mapTo(area.viewport(), qt.QPoint(0, 0)).y()
        return widget.isVisible() and top >= 0 and top + widget.height <= area.viewport().height()

    return found


@pytest.fixture
def press(area, settle):
    """Scrolls to a button, as one does to press it, and presses it, which gives it the focus."""

    def scroll_and_click(button) -> None:
        area.ensureWidgetVisible(button)
        button.setFocus()
        button.click()
        settle()

    return scroll_and_click


@pytest.fixture
def status_bar(trained):
    return slicer.app.main_window.statusBar()


def test_the_panel_is_longer_than_the_screen(trained, area, in_sight):
    area.ensureWidgetVisible(trained.ui.applyButton)
    assert in_sight(trained.ui.applyButton)
    assert not in_sight(trained.ui.messageLabel)


def test_an_error_far_below_is_in_sight_and_in_the_status_bar(trained, engine, press, in_sight, status_bar):
    engine.faults["apply_preview"] = FakeError("The segmentation is locked.", "Unlock it.")
    press(trained.ui.applyButton)
    assert in_sight(trained.ui.messageLabel)
    assert status_bar.currentMessage() == "DiffusionSeg: The segmentation is locked. Unlock it."


def test_news_leave_the_panel_where_it_is_and_stand_in_the_status_bar(trained, press, in_sight, status_bar):
    press(trained.ui.applyButton)
    assert in_sight(trained.ui.applyButton)
    assert "Undo takes it back" in status_bar.currentMessage()


def test_an_error_at_the_end_of_a_run_is_in_sight(trained, client, press, in_sight, status_bar):
    client.faults["predict"] = FakeError("The memory is full.")
    press(trained.ui.predictButton)
    assert in_sight(trained.ui.messageLabel)
    assert status_bar.currentMessage() == "DiffusionSeg: The memory is full."


@pytest.mark.parametrize(
    ("button", "section"),
    [
        ("trainButton", "trainCollapsibleButton"),
        ("estimateButton", "trainCollapsibleButton"),
        ("predictButton", "reviewCollapsibleButton"),
        ("connectButton", "advancedCollapsibleButton"),
    ],
)
def test_progress_and_cancel_of_what_a_click_began_are_in_sight(
    trained, client, press, in_sight, settle, button, section
):
    getattr(trained.ui, section).collapsed = False
    settle()
    client.held_back = True
    press(getattr(trained.ui, button))
    assert trained.runs.busy
    assert in_sight(trained.ui.runFrame)


@pytest.mark.parametrize("button", ["trainButton", "predictButton"])
def test_what_was_clicked_is_in_sight_again_when_the_run_has_ended(trained, press, in_sight, button):
    press(getattr(trained.ui, button))
    assert not trained.runs.busy
    assert in_sight(getattr(trained.ui, button))


@pytest.fixture
def place_of_the_editor(trained, area, settle):
    """Tells where the segment editor is, while one paints with it and trains again by that."""
    trained.ui.retrainOnPaintCheckBox.checked = True
    editor = trained.ui.segmentEditorWidget
    area.ensureWidgetVisible(editor)
    # The mouse is in a view: no control that is disabled now passes its focus on to the next one.
    area.setFocus()
    settle()
    return lambda: editor.mapTo(area, editor.rect.topLeft())


def test_what_begins_by_itself_moves_nothing_under_the_brush(trained, engine, client, place_of_the_editor, settle):
    before = place_of_the_editor()
    client.held_back = True
    engine.paint(1, 25)
    trained.train.on_pause()
    settle()
    assert trained.runs.busy
    assert place_of_the_editor() == before


@pytest.mark.parametrize("method", ["start_training", "finish_training"])
def test_an_error_of_what_begins_by_itself_is_told_and_moves_nothing(
    trained, engine, place_of_the_editor, settle, method
):
    before = place_of_the_editor()
    engine.paint(1, 25)
    engine.faults[method] = FakeError("The memory is full.")
    trained.train.on_pause()
    settle()
    assert trained.ui.messageLabel.text == "The memory is full."
    assert place_of_the_editor() == before


def test_an_error_of_a_click_is_in_sight_also_after_one_of_what_began_by_itself(
    trained, engine, press, settle, in_sight
):
    trained.ui.retrainOnPaintCheckBox.checked = True
    engine.faults["start_training"] = FakeError("The memory is full.")
    trained.train.on_pause()
    settle()
    engine.faults["start_training"] = FakeError("The disk is full.")
    press(trained.ui.trainButton)
    assert trained.ui.messageLabel.text == "The disk is full."
    assert in_sight(trained.ui.messageLabel)


def test_a_message_of_two_lines_moves_no_button_from_under_the_pointer(trained, area, settle):
    trained.annotate.next_slice()
    trained.messages.clear()
    settle()
    area.ensureWidgetVisible(trained.ui.completeButton)
    before = trained.ui.completeButton.mapTo(area, trained.ui.completeButton.rect.topLeft())
    trained.ui.completeButton.click()
    settle()
    assert trained.ui.messageLabel.text
    assert trained.ui.completeButton.mapTo(area, trained.ui.completeButton.rect.topLeft()) == before
