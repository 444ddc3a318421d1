"""Another volume or painting is chosen in the panel: what must not be taken along."""

from __future__ import annotations

import pytest
from slicer_fakes.application import add_volume


def test_another_volume_gets_seeds_of_its_own(panel, engine, scene):
    first = engine.seeds
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "T2"))
    assert engine.did[-1] == ("set_input", ["T2"], None)
    assert engine.seeds is not first


def test_channels_of_one_volume_are_not_used_with_the_next(panel, engine, scene, qt):
    panel.ui.furtherChannelsSelector.setCheckState(add_volume(scene, "T2"), qt.Qt.Checked)
    assert engine.did[-1][:2] == ("set_input", ["T1", "T2"])
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert engine.did[-1] == ("set_input", ["Next patient"], None)
    assert panel.parameters.further_channels == []
    assert panel.ui.furtherChannelsSelector.checkedNodes() == []
    assert [entry[1] for entry in engine.did if entry[0] == "set_input"][2:] == [["Next patient"]]


def test_what_belongs_to_a_volume_goes_with_it(trained, engine, scene, settle):
    trained.ui.applyButton.click()
    assert trained.ui.resultSelector.currentNode() is engine.result
    trained.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert trained.ui.suggestionTable.rowCount == 0
    assert trained.ui.resultSelector.currentNode() is None
    assert [entry[0] for entry in engine.did[-2:]] == ["show_uncertainty", "set_input"]
    assert engine.did[-2] == ("show_uncertainty", 0)
    trained.ui.trainButton.click()
    settle()
    assert [entry[1] for entry in engine.did if entry[0] == "start_training"] == [False, False]


def test_a_training_on_another_painting_starts_from_nothing(trained, engine, scene, settle):
    trained.ui.segmentationSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine"))
    trained.ui.trainButton.click()
    settle()
    assert [entry[1] for entry in engine.did if entry[0] == "start_training"] == [False, False]
    engine.paint(1, 25)
    assert trained.train._pause.isActive()


def layers(scene):
    """Names of what the slice views show in the background, over it, and as labels; each once."""
    views = [scene.GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode") for index in range(3)]
    shown = {(view.GetBackgroundVolumeID(), view.GetForegroundVolumeID(), view.GetLabelVolumeID()) for view in views}
    ((*identifiers,),) = shown
    return [scene.GetNodeByID(found).GetName() if found else None for found in identifiers]


def lay_over(scene, image, label):
    for index in range(3):
        view = scene.GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode")
        view.SetForegroundVolumeID(image.GetID())
        view.SetLabelVolumeID(label.GetID())


def choose_the_next_patient(panel, volume, settle):
    panel.ui.inputVolumeSelector.setCurrentNode(volume)


def segment_the_next_patient(panel, volume, settle):
    panel.ui.otherVolumeSelector.setCurrentNode(volume)
    panel.ui.applyToOtherButton.click()
    settle()


def segment_the_next_patient_and_return(panel, volume, settle):
    segment_the_next_patient(panel, volume, settle)
    lay_over(panel.logic.engine.scene, volume, volume)
    panel.ui.trainButton.click()


@pytest.mark.parametrize(
    ("go_to", "shown"),
    [
        (choose_the_next_patient, "Next patient"),
        (segment_the_next_patient, "Next patient"),
        (segment_the_next_patient_and_return, "T1"),
    ],
)
def test_no_image_of_one_patient_stays_over_the_scan_of_another(trained, scene, settle, go_to, shown):
    lay_over(scene, add_volume(scene, "PET"), add_volume(scene, "Labels"))
    go_to(trained, add_volume(scene, "Next patient"), settle)
    assert layers(scene) == [shown, None, None]


def test_what_lies_over_the_first_scan_stays_there(scene, open_panel):
    volume = add_volume(scene)
    lay_over(scene, add_volume(scene, "PET"), add_volume(scene, "Labels"))
    assert open_panel().parameters.input_volume is volume
    assert layers(scene) == ["T1", "PET", "Labels"]


def test_the_result_of_a_volume_is_chosen_again_with_it(trained, engine, scene, volume, monkeypatch):
    mine = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    take = engine.set_input

    def take_with_result(volumes, segmentation=None):
        warnings = take(volumes, segmentation)
        engine.result = mine if volumes[0] is volume else None
        return warnings

    monkeypatch.setattr(engine, "set_input", take_with_result)
    trained.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    trained.ui.inputVolumeSelector.setCurrentNode(volume)
    assert trained.ui.resultSelector.currentNode() is mine


@pytest.mark.parametrize("go_to", [choose_the_next_patient, segment_the_next_patient])
def test_the_slider_follows_where_the_colours_are_taken_away(trained, scene, settle, go_to):
    trained.ui.uncertaintySlider.value = 0.4
    go_to(trained, add_volume(scene, "Next patient"), settle)
    assert trained.ui.uncertaintySlider.value == 0
    assert trained.parameters.uncertainty_opacity == 0


def test_the_slider_follows_also_behind_another_modules_back(trained, engine, scene, settle, press_and_hold, client):
    trained.ui.uncertaintySlider.value = 0.4
    trained.ui.otherVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    press_and_hold(trained.ui.applyToOtherButton)
    trained.exit()
    client.running.end()
    settle()
    assert ("show_uncertainty", 0) in engine.did
    trained.enter()
    assert trained.ui.uncertaintySlider.value == 0


def test_no_colours_and_no_brush_of_one_patient_stay_over_the_scan_of_another(
    trained, engine, scene, settle, monkeypatch
):
    from DiffusionSegWidgets import other_volumes_section

    shown = []
    other, editor = add_volume(scene, "Next patient"), trained.ui.segmentEditorWidget
    monkeypatch.setattr(
        other_volumes_section,
        "show_volume",
        lambda volume, **_alone: shown.append((volume, engine.did[-1], editor.calls[-1])),
    )
    trained.ui.otherVolumeSelector.setCurrentNode(other)
    trained.ui.applyToOtherButton.click()
    settle()
    assert shown == [(other, ("leave_views", "Next patient"), ("setActiveEffect", None))]
    assert ("show_uncertainty", 0) in engine.did


WORKING = {
    "jumping to a slice": lambda panel: panel.ui.annotationTable.setCurrentCell(3, 0),
    "jumping to a suggestion": lambda panel: panel.ui.suggestionTable.setCurrentCell(0, 0),
    "taking up the brush": lambda panel: panel.editor.node.SetActiveEffectName("Paint"),
    "fitting the region": lambda panel: panel.ui.fitRegionButton.click(),
    "training": lambda panel: panel.ui.trainButton.click(),
    "segmenting": lambda panel: panel.ui.predictButton.click(),
    "applying": lambda panel: panel.ui.applyButton.click(),
    "showing the uncertainty": lambda panel: setattr(panel.ui.uncertaintySlider, "value", 0.4),
    "choosing another painting": lambda panel: panel.ui.segmentationSelector.setCurrentNode(None),
}


@pytest.mark.parametrize("work", WORKING.values(), ids=WORKING)
def test_working_on_the_first_volume_brings_it_back_into_the_views(
    trained, engine, scene, volume, settle, monkeypatch, work
):
    shown = []
    for section in ("DiffusionSeg", "DiffusionSegWidgets.input_section"):
        monkeypatch.setattr(f"{section}.show_volume", lambda volume, **_alone: shown.append(volume))
    segment_the_next_patient(trained, add_volume(scene, "Next patient"), settle)
    assert engine.left
    assert shown == []
    work(trained)
    settle()
    assert not engine.left
    assert shown == [volume]


def test_a_result_that_was_chosen_but_not_applied_to_stays_the_choice_of_its_volume(trained, engine, scene):
    mine = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    trained.ui.resultSelector.setCurrentNode(mine)
    trained.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    done = [entry for entry in engine.did if entry[0] in ("set_result", "set_input")]
    assert done[-2:] == [("set_result", "Mine"), ("set_input", ["Next patient"], None)]
    assert trained.ui.resultSelector.currentNode() is None
