"""A scene is added to the one that is worked on, over the real engine with a fake worker, in a faked Slicer."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import a_head, an_affine
from Module.fake_worker_client import FakeWorkerClient
from Module.mrml import AScene, a_volume_node, paint_slices

NAMES = {3: "Caudate", 7: "Putamen"}


@pytest.fixture
def head():
    return a_head((24, 22, 20))


@pytest.fixture
def volume(scene, head):
    return a_volume(scene, head, "head")


@pytest.fixture
def trained(panel, head, settle):
    """A panel with suggestions, over a scan that was segmented and applied."""
    panel.parameters.stride = 3
    panel.ui.proposeButton.click()
    paint_slices(panel.logic.engine, head[1], NAMES)
    panel.ui.fitRegionButton.click()
    panel.ui.trainButton.click()
    settle()
    panel.ui.applyButton.click()
    panel.ui.showPreviewCheckBox.click()
    panel.ui.uncertaintySlider.value = 0.4
    assert panel.ui.suggestionTable.rowCount > 0
    return panel


@pytest.fixture
def another_task(module, head, tmp_path):
    """The file of a scene with a painted scan of two channels, and a result."""
    from DiffusionSegCore import DiffusionSegEngine
    from DiffusionSegWidgets.parameters import DiffusionSegParameters

    folder = tmp_path / "another"
    folder.mkdir()
    whole = AScene(folder)
    nodes = [a_volume(whole.scene, head, name) for name in ("next T1", "next T2")]
    engine = DiffusionSegEngine(whole.scene, FakeWorkerClient, str(folder))
    engine.set_input(nodes)
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], NAMES)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    parameters = DiffusionSegParameters(engine.state.node)
    parameters.input_volume, parameters.further_channels, parameters.segmentation = nodes[0], nodes[1:], engine.seeds
    parameters.result_segmentation = engine.apply_preview()
    engine.show_preview(True)
    whole.save(folder / "scene.mrb")
    engine.close()
    return folder / "scene.mrb"


@pytest.fixture
def a_scan_alone(head, tmp_path):
    """The file of a scene with a scan and nothing else."""
    folder = tmp_path / "alone"
    folder.mkdir()
    whole = AScene(folder)
    a_volume(whole.scene, head, "next scan")
    whole.save(folder / "scene.mrb")
    return folder / "scene.mrb"


def a_volume(scene, head, name):
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), name)


def add(panel, path, *, behind_another_module=False):
    if behind_another_module:
        panel.exit()
        panel.parent.isEntered = False
    assert slicer.mrmlScene.ReadFromMRB(str(path), False)
    if behind_another_module:
        panel.parent.isEntered = True
        panel.enter()


def own_nodes(engine):
    return [engine.seeds, engine.preview, engine.roi, engine.result]


def visible(nodes):
    return [bool(node.GetDisplayVisibility()) for node in nodes]


@pytest.mark.parametrize("behind_another_module", [False, True])
def test_the_task_that_comes_with_it_is_taken_up_whole(trained, another_task, behind_another_module):
    add(trained, another_task, behind_another_module=behind_another_module)
    assert trained.parameters.input_volume.GetName() == "next T1"
    assert [node.GetName() for node in trained.parameters.further_channels] == ["next T2"]
    assert [node.GetName() for node in trained.logic.engine.nodes.volume().nodes] == ["next T1", "next T2"]
    assert trained.parameters.result_segmentation.GetName() == "next T1 segmentation"
    assert trained.logic.engine.findings.extent == "whole"
    assert trained.ui.messageLabel.text == ""
    assert all(visible([trained.logic.engine.seeds, trained.logic.engine.preview, trained.logic.engine.result]))


@pytest.mark.parametrize("behind_another_module", [False, True])
def test_nothing_of_the_scan_before_meets_the_one_that_is_added(trained, another_task, behind_another_module):
    before, uncertainty = own_nodes(trained.logic.engine), trained.logic.engine.uncertainty_volume
    add(trained, another_task, behind_another_module=behind_another_module)
    assert trained.ui.suggestionTable.rowCount == 0
    assert not trained.train._trained
    assert visible(before) == [False] * 4
    views = trained.logic.engine.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert views.GetForegroundVolumeID() != uncertainty.GetID()


def test_what_was_found_in_the_scan_before_is_found_again(trained, volume, another_task):
    before, uncertainty = own_nodes(trained.logic.engine), trained.logic.engine.uncertainty_volume
    add(trained, another_task)
    trained.ui.inputVolumeSelector.setCurrentNode(volume)
    assert own_nodes(trained.logic.engine) == before
    assert visible(before) == [True] * 4
    assert trained.logic.engine.uncertainty_volume is uncertainty
    assert trained.ui.suggestionTable.rowCount == 6


@pytest.mark.parametrize("behind_another_module", [False, True])
def test_the_scan_is_gone_on_with_where_no_task_is_added(trained, volume, a_scan_alone, behind_another_module):
    before = own_nodes(trained.logic.engine)
    add(trained, a_scan_alone, behind_another_module=behind_another_module)
    assert trained.parameters.input_volume is volume
    assert own_nodes(trained.logic.engine) == before
    assert visible(before) == [True] * 4
    assert trained.logic.engine.findings.extent == "whole"
    assert trained.ui.suggestionTable.rowCount == 6
