"""What the .ui file says of widgets of Slicer and CTK: in the list kept by hand, and loaded without a doubt."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import slicer
from slicer_fakes.names_of_slicer import FLAGS, SIGNALS_AND_SLOTS, WIDGETS
from slicer_fakes.pythonqt_shim import qt_names
from slicer_fakes.widgets import CTK_WIDGETS, MRML_WIDGETS

UI_FILE = Path(__file__).parents[3] / "DiffusionSeg" / "Resources" / "UI" / "DiffusionSeg.ui"
FAKES = MRML_WIDGETS | CTK_WIDGETS


@pytest.fixture
def tree():
    return ET.parse(UI_FILE)


def test_every_widget_is_qts_or_in_the_list(tree):
    classes = {widget.get("class") for widget in tree.iter("widget")}
    assert {name for name in classes if not name.startswith("Q")} <= set(WIDGETS)
    assert {name for name in classes if name.startswith("Q")} <= set(qt_names())


@pytest.mark.parametrize("name", sorted(WIDGETS))
def test_properties_are_the_widgets_own(tree, name):
    of_qt = {"enabled", "geometry", "maximumSize", "minimumSize", "sizePolicy", "toolTip", "SlicerParameterName"}
    for widget in tree.iter("widget"):
        if widget.get("class") == name:
            used = {prop.get("name") for prop in widget.findall("property")}
            assert used <= WIDGETS[name][1] | of_qt, widget.get("name")


def test_signals_and_slots_that_are_connected_are_the_widgets_own(tree):
    classes = {widget.get("name"): widget.get("class") for widget in tree.iter("widget")}
    used = set()
    for connection in tree.iter("connection"):
        said = {part.tag: part.text for part in connection}
        used |= {(classes[said["sender"]], said["signal"]), (classes[said["receiver"]], said["slot"])}
    assert used == set(SIGNALS_AND_SLOTS)


def test_every_widget_that_shows_nodes_is_told_of_the_scene(tree):
    takes_scene = {cls for cls, member in SIGNALS_AND_SLOTS if member.startswith("setMRMLScene(")}
    shown = {widget.get("name") for widget in tree.iter("widget") if widget.get("class") in takes_scene}
    assert {connection.find("receiver").text for connection in tree.iter("connection")} == shown


def test_flags_are_the_widgets_own(tree):
    used = {
        tuple(flag.split("::")) for found in tree.iter("set") if "::" in found.text for flag in found.text.split("|")
    }
    of_widgets = {(cls, flag) for cls, flag in used if not cls.startswith("Q")}
    assert of_widgets == {(cls, flag) for cls, (_, flags) in FLAGS.items() for flag in flags}


def test_the_fakes_have_the_flags_of_the_real_ones():
    for cls, (_, flags) in FLAGS.items():
        assert {flag: getattr(FAKES[cls], flag) for flag in flags} == flags


@pytest.fixture
def load(qt, tmp_path):
    """Loads the text of a .ui file."""

    def loaded(text):
        (tmp_path / "panel.ui").write_text(text, encoding="utf-8")
        return slicer.util.loadUI(str(tmp_path / "panel.ui"))

    return loaded


def test_the_scene_goes_from_the_panel_to_its_selectors(load, scene, volume):
    panel = load(UI_FILE.read_text(encoding="utf-8"))
    panel.setMRMLScene(scene)
    selectors = [
        panel.findChild(FAKES["qMRMLNodeComboBox"], name) for name in ("inputVolumeSelector", "otherVolumeSelector")
    ]
    assert all(volume.GetName() in [selector.itemText(row) for row in range(selector.count)] for selector in selectors)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mrmlSceneChanged(vtkMRMLScene*)", "mrmlSceneChanges(vtkMRMLScene*)"),
        ("setMRMLScene(vtkMRMLScene*)", "setMRMLScenes(vtkMRMLScene*)"),
        ("setMRMLScene(vtkMRMLScene*)", "setMRMLScene(vtkMRMLNode*)"),
        ("ctkPathLineEdit::Dirs", "ctkPathLineEdit::Dir"),
        ("Qt::Vertical", "Qt::Vertically"),
    ],
)
def test_what_is_misspelt_is_found_out(load, right, wrong):
    text = UI_FILE.read_text(encoding="utf-8")
    assert right in text
    with pytest.raises((RuntimeError, AttributeError), match=re.escape(wrong.split("::")[-1].split("(")[0])):
        load(text.replace(right, wrong))
