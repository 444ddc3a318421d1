"""What the panel looks like to who comes new: help, sections, tooltips, in a faked Slicer."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import slicer

SECTIONS = ["Input", "Annotate", "Train", "Review", "Other volumes", "Advanced"]


def test_the_sections_stand_in_the_order_of_the_work(panel, qt):
    import ctk

    sections = panel.parent.findChildren(ctk.ctkCollapsibleButton)
    assert [section.text for section in sections] == SECTIONS
    assert [section.text for section in sections if section.collapsed] == ["Other volumes", "Advanced"]


def test_every_control_has_a_tooltip(panel, qt):
    kinds = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSpinBox, qt.QLineEdit, qt.QTableWidget, qt.QProgressBar)
    ours = [widget for name, widget in vars(panel.ui).items() if not name.startswith("qt_")]
    assert [widget.name for widget in ours if isinstance(widget, kinds) and not widget.toolTip] == []


@pytest.mark.parametrize("name", ["bundleFolderEdit", "segmenterPathEdit", "workFolderEdit"])
def test_a_path_that_is_cut_can_be_read_whole(panel, name):
    field = getattr(panel.ui, name)
    meaning, path = field.toolTip, "/home/anna/projects/2026/knees at half a millimetre/first try"
    field.currentPath = path
    assert field.toolTip.startswith(path)
    assert field.toolTip.endswith(meaning)
    field.currentPath = ""
    assert field.toolTip == meaning


@pytest.mark.parametrize("name", ["segmenterPathEdit", "workFolderEdit"])
def test_a_path_that_the_module_remembers_is_not_remembered_by_its_field_too(panel, name):
    assert getattr(panel.ui, name).settingKey == ""


def test_shortcuts_stand_in_the_tooltips(panel):
    for button, keys in (("nextSliceButton", "N"), ("completeButton", "C"), ("trainButton", "L")):
        assert f"Ctrl+Shift+{keys}" in getattr(panel.ui, button).toolTip


def test_nothing_can_be_pressed_that_makes_no_sense_in_an_empty_scene(scene, open_panel):
    panel = open_panel()
    for name in ("proposeButton", "trainButton", "predictButton", "applyButton", "applyToOtherButton"):
        assert not getattr(panel.ui, name).enabled, name
    assert panel.ui.loadSegmenterButton.enabled


@pytest.fixture
def described(module):
    parent = SimpleNamespace()
    module.DiffusionSeg(parent)
    return parent


def test_the_module_is_found_under_segmentation(described):
    assert described.categories == ["Segmentation"]
    assert "arXiv" in described.acknowledgementText


def test_sample_data_is_registered_once_slicer_has_started(described, monkeypatch):
    registered = []
    fakes = {
        "DiffusionSegCore.sample_data": {"register": lambda logic, picture: registered.append((logic, picture))},
        "SampleData": {"SampleDataLogic": "SampleData's logic"},
    }
    for name, contents in fakes.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**contents))
    (started,) = slicer.app.connected["startupCompleted()"]
    assert not registered
    started()
    assert registered[0][0] == "SampleData's logic"
    assert registered[0][1].endswith("Phantom.png")


def test_the_help_tab_is_the_tutorial_and_speaks_of_buttons_that_exist(described, panel, qt):
    texts = {widget.text for widget in panel.parent.findChildren(qt.QAbstractButton)}
    labels = {label.text.rstrip(":") for label in panel.parent.findChildren(qt.QLabel)}
    for bold in re.findall(r"<b>(.*?)</b>", described.helpText, re.DOTALL):
        name = " ".join(bold.split()).rstrip(".")
        assert name in texts | labels | set(SECTIONS), name


def test_the_written_tutorial_speaks_of_buttons_that_exist(panel, qt):
    texts = {widget.text for widget in panel.parent.findChildren(qt.QAbstractButton)}
    labels = {label.text.rstrip(":") for label in panel.parent.findChildren(qt.QLabel)}
    tutorial = (Path(__file__).parents[3] / "docs" / "tutorial.md").read_text(encoding="utf-8")
    extensions = {"PyTorch"}
    for name in re.findall(r"\*\*(.*?)\*\*", tutorial):
        assert name in texts | labels | set(SECTIONS) | extensions, name
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", tutorial):
        assert (Path(__file__).parents[3] / "docs" / picture).is_file(), picture
