"""Every control and its parameter follow each other, in the panel with faked Slicer widgets."""

from __future__ import annotations

from pathlib import Path

import pytest
import slicer
from slicer_fakes.application import add_volume

SIMPLE = [
    ("around", "aroundSelector", "currentText", "the whole volume"),
    ("slices_per_axis", "slicesPerAxisSpinBox", "value", 5),
    ("stride", "strideSpinBox", "value", 4),
    ("background_margin", "backgroundMarginSlider", "value", 12.0),
    ("prepare_while_painting", "prepareCheckBox", "checked", False),
    ("retrain_on_paint", "retrainOnPaintCheckBox", "checked", True),
    ("all_paintings", "allPaintingsCheckBox", "checked", True),
    ("whole_volume", "wholeVolumeCheckBox", "checked", False),
    ("keep_largest", "keepLargestCheckBox", "checked", True),
    ("uncertainty_opacity", "uncertaintySlider", "value", 0.5),
    ("overwrite_mode", "overwriteSelector", "currentText", "none"),
    ("device", "deviceSelector", "currentText", "cpu"),
    ("bundle", "bundleSelector", "currentText", "tiny"),
    ("bundle_folder", "bundleFolderEdit", "currentPath", "/data/models/mine"),
]
NODES = [
    ("input_volume", "inputVolumeSelector", "vtkMRMLScalarVolumeNode"),
    ("other_volume", "otherVolumeSelector", "vtkMRMLScalarVolumeNode"),
    ("segmentation", "segmentationSelector", "vtkMRMLSegmentationNode"),
    ("result_segmentation", "resultSelector", "vtkMRMLSegmentationNode"),
]


@pytest.mark.parametrize(("parameter", "control", "attribute", "value"), SIMPLE)
def test_a_control_follows_its_parameter(panel, parameter, control, attribute, value):
    setattr(panel.parameters, parameter, value)
    assert getattr(getattr(panel.ui, control), attribute) == value


@pytest.mark.parametrize(("parameter", "control", "attribute", "value"), SIMPLE)
def test_a_parameter_follows_its_control(panel, parameter, control, attribute, value):
    if parameter == "bundle":
        panel.ui.bundleSelector.addItem(value, value)
    widget = getattr(panel.ui, control)
    if attribute == "currentText":
        widget.setCurrentIndex(widget.findText(value))
    else:
        setattr(widget, attribute, value)
    assert getattr(panel.parameters, parameter) == value


@pytest.mark.parametrize(("parameter", "control", "kind"), NODES)
def test_nodes_are_in_sync_both_ways(panel, scene, parameter, control, kind):
    first, second = (scene.AddNewNodeByClass(kind, name) for name in ("first", "second"))
    if kind == "vtkMRMLScalarVolumeNode":
        first, second = add_volume(scene, "third"), add_volume(scene, "fourth")
    setattr(panel.parameters, parameter, first)
    assert getattr(panel.ui, control).currentNode() is first
    getattr(panel.ui, control).setCurrentNode(second)
    assert getattr(panel.parameters, parameter) is second


def test_further_channels_are_in_sync_both_ways(panel, scene, qt):
    t2, flair = add_volume(scene, "T2"), add_volume(scene, "FLAIR")
    panel.parameters.further_channels = [flair]
    assert panel.ui.furtherChannelsSelector.checkedNodes() == [flair]
    panel.ui.furtherChannelsSelector.setCheckState(t2, qt.Qt.Checked)
    assert set(panel.parameters.further_channels) == {t2, flair}


def test_every_parameter_has_a_control_and_the_tests_above_know_it(panel):
    tested = {row[0] for row in [*SIMPLE, *NODES]} | {"further_channels"}
    assert set(panel._controls()) == set(panel.parameters.allParameters) == tested


def test_the_parameters_of_a_scene_are_shown_when_the_module_is_opened(volume, open_panel):
    node = slicer.vtkMRMLScriptedModuleNode()
    node.SetSingletonTag("DiffusionSeg")
    node.SetParameter("stride", "7")
    node.SetParameter("bundle", "a bundle that this worker has not")
    slicer.mrmlScene.AddNode(node)
    panel = open_panel()
    assert panel.ui.strideSpinBox.value == 7
    assert panel.ui.bundleSelector.currentText == "a bundle that this worker has not"


def test_how_the_worker_is_started_is_kept_on_the_computer_and_in_no_scene(panel, scene, open_panel):
    panel.ui.workerCommandEdit.text = "ssh box diffusionseg worker"
    panel.ui.workFolderEdit.currentPath = "/data/work"
    node = panel.parameters.parameterNode
    assert not [name for name in node.GetParameterNames() if "ssh box" in node.GetParameter(name)]
    scene.Clear(False)
    again = open_panel()
    assert again.ui.workerCommandEdit.text == "ssh box diffusionseg worker"
    assert again.ui.workFolderEdit.currentPath == "/data/work"
    assert again.logic.runs_elsewhere
    assert again.logic.work_folder == Path("/data/work/DiffusionSegWork")


def test_how_much_is_kept_is_a_setting_of_the_computer_that_the_worker_is_told_of(panel, engine, open_panel):
    assert panel.ui.workLimitSpinBox.value == 20
    assert engine.session_bytes == 20 * 10**9
    panel.ui.workLimitSpinBox.value = 45
    assert engine.session_bytes == 45 * 10**9
    again = open_panel()
    assert again.ui.workLimitSpinBox.value == 45
    assert again.logic.engine.session_bytes == 45 * 10**9


def test_the_segmenters_file_is_kept_on_the_computer_and_in_no_scene(panel, open_panel):
    panel.ui.segmenterPathEdit.currentPath = "/home/anna/brain.safetensors"
    node = panel.parameters.parameterNode
    assert not [name for name in node.GetParameterNames() if "anna" in node.GetParameter(name)]
    assert open_panel().ui.segmenterPathEdit.currentPath == "/home/anna/brain.safetensors"


def test_no_control_changes_the_scene_while_another_module_is_open(panel):
    panel.exit()
    panel.ui.strideSpinBox.value = 33
    assert panel.parameters.stride == 10
    panel.enter()
    assert panel.ui.strideSpinBox.value == 10


def test_what_became_of_the_slices_in_another_module_is_seen_on_return(proposed, engine):
    proposed.exit()
    engine.add_slice(1, 3)
    proposed.enter()
    assert proposed.ui.annotationTable.rowCount == 10


def test_a_deleted_channel_is_left_out(panel, scene, engine):
    t2, flair = add_volume(scene, "T2"), add_volume(scene, "FLAIR")
    panel.parameters.further_channels = [t2, flair]
    scene.RemoveNode(t2)
    panel.on_parameters_changed()
    assert engine.did[-1][0] != "set_input" or "T2" not in engine.did[-1][1]
    assert panel.ui.furtherChannelsSelector.checkedNodes() == [flair]


def test_a_volume_that_was_deleted_while_another_module_was_open_is_no_longer_chosen(panel, scene, volume, engine):
    panel.exit()
    scene.RemoveNode(volume)
    panel.enter()
    assert panel.ui.inputVolumeSelector.currentNode() is None
    assert not panel.ui.trainButton.enabled
