"""Which model is chosen, and what is told about it, before any worker was started and after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import slicer
from DiffusionSegCore import settings
from slicer_fakes.engine import ANSWERS

from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE
from DiffusionSegLib.bundles.description import BundleDescription, bundled_descriptions
from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    """A model of the user's own."""
    shutil.copytree(tiny_bundle.folder, tmp_path / "mine")
    return tmp_path / "mine"


def choose(panel, folder) -> None:
    selector = panel.ui.bundleSelector
    selector.currentIndex = selector.findText("in a folder of your own")
    panel.ui.bundleFolderEdit.currentPath = str(folder)


def test_panel_engine_and_backend_begin_with_the_same_model(panel):
    assert panel.parameters.bundle == DEFAULT_BUNDLE == settings.DEFAULT_BUNDLE


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


THERE = "/data/models/there"


@pytest.fixture
def elsewhere(panel):
    """The model lies where the worker runs, which was not started yet."""
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    choose(panel, THERE)
    return panel


def asked(client) -> list[str]:
    return [method for method, _params in client.asked]


def test_the_worker_tells_the_licence_of_a_folder_on_its_computer(elsewhere, client, settle):
    elsewhere.ui.connectButton.click()
    settle()
    assert ("describe", {"path": THERE}) in client.asked
    assert elsewhere.ui.licenceLabel.text == "knees: Knees. Licence of the weights: MIT"
    assert elsewhere.ui.licenceLabel.toolTip == "Of knees."


def test_the_licence_is_there_before_anything_is_computed_and_asked_for_once(elsewhere, client, settle):
    for _training in range(2):
        elsewhere.ui.trainButton.click()
        settle()
    assert asked(client)[:4] == ["hello", "describe", "estimate", "train"]
    assert asked(client).count("describe") == 1


@pytest.mark.usefixtures("painting_prepares")
def test_the_licence_is_there_before_painting_prepares_anything(elsewhere, client, settle):
    elsewhere.ui.proposeButton.click()
    settle()
    assert asked(client) == ["hello", "describe", "estimate", "extract"]


@pytest.mark.usefixtures("painting_prepares")
def test_another_folder_is_asked_for_once_it_is_typed(elsewhere, client, settle):
    elsewhere.ui.connectButton.click()
    settle()
    elsewhere.ui.bundleFolderEdit.currentPath = "/data/models/other"
    assert "where the worker runs" in elsewhere.ui.licenceLabel.text
    elsewhere.input.on_folder_typed()
    settle()
    assert client.asked[-1] == ("describe", {"path": "/data/models/other"})
    assert elsewhere.ui.licenceLabel.text.startswith("knees: ")


def test_no_worker_is_started_to_ask_for_a_licence(elsewhere, client, settle):
    elsewhere.input.on_folder_typed()
    settle()
    assert client.asked == []


def test_a_folder_that_is_no_model_there_is_told_of_in_red(elsewhere, client, settle):
    client.faults["describe"] = DiffusionSegError(f"There is no readable model bundle in {THERE}.", "Look again.")
    elsewhere.ui.connectButton.click()
    settle()
    assert elsewhere.ui.licenceLabel.text == f"There is no readable model bundle in {THERE}. Look again."
    assert "color" in elsewhere.ui.licenceLabel.styleSheet
    assert elsewhere.ui.messageLabel.text == elsewhere.ui.licenceLabel.text


def test_nothing_is_computed_with_it_but_asked_again_and_what_needs_no_model_works(elsewhere, client, settle):
    client.faults["describe"] = DiffusionSegError("There is no readable model bundle.", "Look again.")
    elsewhere.ui.trainButton.click()
    settle()
    assert asked(client) == ["hello", "describe"]
    elsewhere.ui.segmenterPathEdit.currentPath = "/data/balls"
    elsewhere.ui.saveSegmenterButton.click()
    settle()
    assert elsewhere.ui.messageLabel.text == "The segmenter was saved."
    elsewhere.ui.trainButton.click()
    settle()
    assert asked(client)[3:6] == ["describe", "estimate", "train"]
    assert elsewhere.ui.licenceLabel.text.startswith("knees: ")


def test_an_answer_of_another_version_is_told_and_leaves_the_panel_usable(elsewhere, settle, monkeypatch):
    monkeypatch.setitem(ANSWERS, "describe", {"title": "knees"})
    elsewhere.ui.connectButton.click()
    settle()
    assert "failed unexpectedly" in elsewhere.ui.licenceLabel.text
    assert not elsewhere.runs.busy


def test_a_worker_that_was_started_anew_is_asked_anew(elsewhere, client, settle):
    for _start in range(2):
        elsewhere.ui.restartButton.click()
        settle()
    assert asked(client).count("describe") == 2


def test_a_folder_of_this_computer_needs_no_asking(panel, client, folder, settle):
    panel.ui.workerCommandEdit.text = "ssh gpu-box diffusionseg worker"
    choose(panel, folder)
    panel.ui.connectButton.click()
    settle()
    assert "describe" not in asked(client)
    assert panel.ui.licenceLabel.text.startswith("tiny: ")


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


def test_a_loaded_segmenter_brings_along_whether_only_the_largest_parts_are_kept(panel, engine, settle):
    assert not panel.parameters.keep_largest
    panel.ui.segmenterPathEdit.currentPath = "/data/balls"
    panel.ui.loadSegmenterButton.click()
    settle()
    assert panel.parameters.keep_largest
    assert engine.settings.keep_largest
