"""No empty segmentation is left in the scene where nothing was painted, over the real engine, in a faked Slicer."""

from __future__ import annotations

import pytest
import slicer
from slicer_fakes.application import add_volume


def choose(panel, volume):
    panel.ui.inputVolumeSelector.setCurrentNode(volume)


def names(scene, kind="vtkMRMLSegmentationNode"):
    return [scene.GetNthNodeByClass(index, kind).GetName() for index in range(scene.GetNumberOfNodesByClass(kind))]


def add_a_segment(panel):
    panel.logic.engine.seeds.GetSegmentation().AddEmptySegment("Caudate", "Caudate")


TOUCHED = {"adding a segment": add_a_segment, "proposing slices": lambda panel: panel.ui.proposeButton.click()}


def test_volumes_that_are_only_tried_leave_none_behind(panel, scene):
    for name in ("T2", "FLAIR"):
        choose(panel, add_volume(scene, name))
    assert names(scene) == ["FLAIR seeds"]
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationDisplayNode") == 1
    assert panel.ui.segmentEditorWidget.segmentationNode() is panel.logic.engine.seeds
    assert panel.ui.segmentationSelector.currentNode() is panel.logic.engine.seeds


def test_a_volume_that_is_tried_and_come_back_to_can_be_painted_on(panel, scene, volume):
    choose(panel, add_volume(scene, "T2"))
    choose(panel, volume)
    assert names(scene) == ["T1 seeds"]
    panel.ui.proposeButton.click()
    assert panel.ui.annotationTable.rowCount == 9


@pytest.mark.parametrize("touch", TOUCHED.values(), ids=TOUCHED)
def test_one_that_something_was_done_with_stays(panel, scene, touch):
    seeds = panel.logic.engine.seeds
    touch(panel)
    choose(panel, add_volume(scene, "T2"))
    assert names(scene) == ["T1 seeds", "T2 seeds"]
    panel.exit()
    assert names(scene) == [seeds.GetName()]


def test_an_empty_one_that_the_user_made_stays(panel, scene):
    panel.ui.segmentationSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine"))
    assert names(scene) == ["mine"]
    choose(panel, add_volume(scene, "T2"))
    panel.exit()
    assert names(scene) == ["mine"]


def test_a_module_that_was_only_opened_leaves_none_behind_and_has_one_when_it_is_entered_again(panel, scene, volume):
    panel.exit()
    assert names(scene) == []
    assert panel.ui.segmentEditorWidget.segmentationNode() is None
    panel.enter()
    assert names(scene) == ["T1 seeds"]
    assert panel.parameters.segmentation is panel.logic.engine.seeds
    assert panel.ui.segmentEditorWidget.segmentationNode() is panel.logic.engine.seeds
    assert panel.ui.segmentEditorWidget.sourceVolumeNode() is volume
    assert panel.ui.messageLabel.text == ""


def test_what_is_painted_on_entering_again_is_noticed(panel):
    panel.exit()
    panel.enter()
    contents = panel.logic.engine.seeds.GetSegmentation()
    contents.InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
    assert panel.train._pause.isActive()


def test_none_is_made_behind_another_modules_back_when_work_ends(panel, scene, settle):
    panel.ui.estimateButton.click()
    panel.exit()
    settle()
    assert panel.runs.idle
    assert names(scene) == ["T1 seeds"]
    panel.enter()
    panel.exit()
    assert names(scene) == []
