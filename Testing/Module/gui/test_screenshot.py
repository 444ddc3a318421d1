"""Pictures of the panel with faked Slicer widgets, 400 pixels wide, in the middle of its story.

With DIFFUSIONSEG_WRITE_PICTURES=1 those in docs/ are renewed.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from pathlib import Path

import pytest
from slicer_fakes.application import add_volume

DOCS = Path(__file__).parents[3] / "docs"
PARTS = {
    "progress": "runFrame",
    "input": "inputCollapsibleButton",
    "annotate": "annotateCollapsibleButton",
    "train": "trainCollapsibleButton",
    "review": "reviewCollapsibleButton",
    "other_volumes": "otherVolumesCollapsibleButton",
    "advanced": "advancedCollapsibleButton",
}
WIDTH = 400


@pytest.fixture
def in_the_middle(panel, engine, client, scene, settle, application):
    """Slices proposed and painted, one training done and the next one running."""
    application.setStyle("Fusion")
    panel.parent.resize(WIDTH, 1200)
    panel.parent.show()
    add_volume(scene, "Next patient")
    panel.ui.proposeButton.click()
    engine.mark_complete(0, 20)
    engine.mark_complete(0, 30)
    for place in ((1, 25), (2, 10)):
        engine.paint(*place)
    panel.train.on_pause()
    panel.ui.fitRegionButton.click()
    panel.ui.trainButton.click()
    settle()
    panel.ui.estimateButton.click()
    settle()
    panel.ui.segmenterPathEdit.currentPath = "/home/anna/segmenters/putamen.safetensors"
    panel.parameters.uncertainty_opacity = 0.4
    panel.ui.applyButton.click()
    client.held_back = True
    panel.ui.trainButton.click()
    settle()
    for step in range(60):
        curve = {"step": step, "loss": 2.2 * math.exp(-step / 14) + 0.12, "held_out": 0.92 - 0.7 * math.exp(-step / 11)}
        client.tell("curve", **curve)
    for done in (10, 60):
        client.tell("progress", stage="training", done=done, total=100)
        settle()
        time.sleep(1.1)
    return panel


def picture_of(panel, application):
    # What was unfolded tells its height only once it has been laid out.
    for _round in range(3):
        application.processEvents()
        panel.resize(WIDTH, panel.layout().totalHeightForWidth(WIDTH))
    application.processEvents()
    return panel.grab()


def renew(picture, name: str) -> None:
    if os.environ.get("DIFFUSIONSEG_WRITE_PICTURES"):
        (DOCS / name).parent.mkdir(exist_ok=True)
        assert picture.save(str(DOCS / name))


def test_all_sections_fit_into_400_pixels(in_the_middle, application):
    panel = in_the_middle.parent
    assert panel.minimumSizeHint().width() <= WIDTH
    picture = picture_of(panel, application)
    assert picture.width() == WIDTH
    renew(picture, "module.png")


def test_every_section_fits_when_it_is_unfolded(in_the_middle, application, client, settle):
    ui, panel = in_the_middle.ui, in_the_middle.parent
    renew(ui.runFrame.grab(), "tutorial/progress.png")
    client.running.end()
    client.held_back = False
    settle()
    for section in (ui.otherVolumesCollapsibleButton, ui.advancedCollapsibleButton):
        section.collapsed = False
    picture = picture_of(panel, application)
    assert panel.minimumSizeHint().width() <= WIDTH
    assert picture.width() == WIDTH
    for name, part in PARTS.items():
        widget = getattr(ui, part)
        assert widget.mapTo(panel, widget.rect.bottomRight()).x() < WIDTH, name
        if part != "runFrame":
            renew(widget.grab(), f"tutorial/{name}.png")


def test_a_model_folder_fits_however_long_its_path(panel, application, tiny_bundle, tmp_path):
    application.setStyle("Fusion")
    folder = tmp_path / "projects" / "pretrained on T2-weighted knees at half a millimetre"
    shutil.copytree(tiny_bundle.folder, folder)
    config = json.loads((folder / "config.json").read_text())
    described = {"name": "knees-t2", "description": "Axial T2-weighted knees at half a millimetre."}
    (folder / "config.json").write_text(json.dumps(config | described))
    panel.parent.resize(WIDTH, 1200)
    panel.parent.show()
    panel.parameters.bundle, panel.parameters.bundle_folder = "", str(folder)
    assert picture_of(panel.parent, application).width() == WIDTH
    section = panel.ui.inputCollapsibleButton
    assert section.mapTo(panel.parent, section.rect.bottomRight()).x() < WIDTH
    # The picture is the same wherever it is made.
    panel.ui.bundleFolderEdit.blockSignals(True)
    panel.ui.bundleFolderEdit.currentPath = "/home/anna/models/knees-t2"
    assert panel.ui.licenceLabel.text.startswith("knees-t2: Axial")
    renew(section.grab(), "tutorial/model_folder.png")


@pytest.mark.usefixtures("painting_prepares")
def test_a_scan_that_is_prepared_is_told_in_one_line_beside_its_cancel(panel, client, settle, application):
    application.setStyle("Fusion")
    panel.parent.resize(WIDTH, 1200)
    panel.parent.show()
    panel.ui.connectButton.click()
    settle()
    client.held_back = True
    panel.ui.proposeButton.click()
    client.tell("progress", stage="features", done=30, total=100)
    settle()
    assert picture_of(panel.parent, application).width() == WIDTH
    label, button = panel.ui.preparationLabel, panel.ui.stopPreparingButton
    assert button.mapTo(panel.parent, button.rect.topRight()).x() < WIDTH
    assert label.mapTo(panel.parent, label.rect.topRight()).x() < button.mapTo(panel.parent, button.rect.topLeft()).x()
    renew(panel.ui.trainCollapsibleButton.grab(), "tutorial/preparing.png")
