"""Which model is chosen, and what is told about it, before any worker was started and after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import slicer

from DiffusionSegLib.bundles.description import BundleDescription, bundled_descriptions


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    """A model of the user's own."""
    shutil.copytree(tiny_bundle.folder, tmp_path / "mine")
    return tmp_path / "mine"


def choose(panel, folder) -> None:
    selector = panel.ui.bundleSelector
    selector.currentIndex = selector.findText("in a folder of your own")
    panel.ui.bundleFolderEdit.currentPath = str(folder)


def test_description_and_licence_are_shown_before_a_worker_is_started(panel, client):
    (bundle,) = [found for found in bundled_descriptions() if found.name == "brain-t1"]
    assert panel.ui.bundleSelector.currentText == "brain-t1"
    assert panel.ui.licenceLabel.text == f"{bundle.description} Licence of the weights: {bundle.licence}"
    assert panel.ui.licenceLabel.toolTip == bundle.card
    assert client.asked == []


def test_a_folder_of_ones_own_is_asked_for_only_if_it_is_wanted(panel):
    assert not panel.ui.bundleFolderEdit.isVisibleTo(panel.parent)
    choose(panel, "")
    assert panel.ui.bundleFolderEdit.isVisibleTo(panel.parent)
    assert panel.ui.licenceLabel.text.startswith("Choose the folder of the model")


def test_the_model_in_a_folder_is_described_and_used(panel, engine, folder):
    choose(panel, folder)
    bundle = BundleDescription.read(folder)
    assert panel.ui.licenceLabel.text == f"tiny: {bundle.description} Licence of the weights: CC0"
    assert engine.settings.bundle == str(folder)
    panel.parameters.bundle = "brain-t1"
    assert engine.settings.bundle == "brain-t1"


@pytest.mark.parametrize(("damage", "told"), [(shutil.rmtree, "is gone"), (Path.touch, "no readable model")])
def test_a_folder_that_is_gone_or_no_model_is_told_of_in_red(panel, folder, damage, told):
    (folder / "config.json").unlink()
    damage(folder)
    choose(panel, folder)
    assert told in panel.ui.licenceLabel.text
    assert "color" in panel.ui.licenceLabel.styleSheet
    panel.parameters.bundle = "brain-t1"
    assert panel.ui.licenceLabel.styleSheet == ""


def test_a_model_of_a_scene_that_is_not_installed_is_told_of_in_red_until_a_worker_offers_it(panel, settle):
    panel.parameters.bundle = "tiny"
    assert panel.ui.licenceLabel.text.startswith("There is no model tiny on this computer.")
    assert "color" in panel.ui.licenceLabel.styleSheet
    panel.ui.connectButton.click()
    settle()
    assert panel.ui.licenceLabel.text == "A small one. Licence of the weights: CC0"
    assert panel.ui.licenceLabel.styleSheet == ""


def test_a_folder_on_the_workers_computer_is_not_looked_for_here(panel):
    choose(panel, "/data/models/there")
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    assert "where the worker runs" in panel.ui.licenceLabel.text
    assert panel.ui.licenceLabel.styleSheet == ""


def test_the_folder_comes_back_with_the_scene(panel, folder, open_panel):
    choose(panel, folder)
    node = panel.parameters.parameterNode
    kept = {name: node.GetParameter(name) for name in node.GetParameterNames()}
    panel.cleanup()
    slicer.mrmlScene.Clear(False)
    node = slicer.vtkMRMLScriptedModuleNode()
    node.SetSingletonTag("DiffusionSeg")
    for name, text in kept.items():
        node.SetParameter(name, text)
    slicer.mrmlScene.AddNode(node)
    again = open_panel()
    assert again.ui.bundleFolderEdit.currentPath == str(folder)
    assert again.ui.bundleSelector.currentText == "in a folder of your own"
    assert again.ui.licenceLabel.text.startswith("tiny: ")


def test_what_the_worker_offers_replaces_what_came_along_and_the_choice_stays(panel, folder, settle):
    choose(panel, folder)
    panel.ui.connectButton.click()
    settle()
    assert panel.ui.bundleSelector.findText("tiny") >= 0
    assert panel.parameters.bundle_folder == str(folder)
    assert panel.ui.licenceLabel.text.startswith("tiny: ")


def test_a_segmenter_of_the_model_in_the_folder_leaves_the_folder_chosen(panel, engine, folder, settle, monkeypatch):
    choose(panel, folder)
    monkeypatch.setattr(engine, "finish_loading", lambda *_: None)
    panel.ui.segmenterPathEdit.currentPath = "/data/balls"
    panel.ui.loadSegmenterButton.click()
    settle()
    assert panel.parameters.bundle == ""
    assert engine.settings.bundle == str(folder)
