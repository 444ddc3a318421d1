"""A picture of the panel with faked Slicer widgets, 400 pixels wide, in the middle of its story.

With DIFFUSIONSEG_WRITE_PICTURES=1 the picture in docs/ is renewed.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest
from slicer_fakes.application import add_volume

PICTURE = Path(__file__).parents[3] / "docs" / "module.png"
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
    panel.parameters.segmenter_path = "/home/anna/segmenters/putamen.safetensors"
    panel.parameters.uncertainty_opacity = 0.4
    panel.ui.applyButton.click()
    client.held_back = True
    panel.ui.trainButton.click()
    settle()
    for step in range(60):
        curve = {"step": step, "loss": 2.2 * math.exp(-step / 14) + 0.12, "held_out": 0.92 - 0.7 * math.exp(-step / 11)}
        client.notifications.append({"method": "curve", "params": curve})
    for done in (10, 60):
        client.notifications.append({"method": "progress", "params": {"stage": "training", "done": done, "total": 100}})
        settle()
        time.sleep(1.1)
    return panel


def test_all_sections_fit_into_400_pixels(in_the_middle, application):
    panel = in_the_middle.parent
    assert panel.minimumSizeHint().width() <= WIDTH
    panel.resize(WIDTH, panel.layout().totalHeightForWidth(WIDTH))
    application.processEvents()
    picture = panel.grab()
    assert picture.width() == WIDTH
    if os.environ.get("DIFFUSIONSEG_WRITE_PICTURES"):
        assert picture.save(str(PICTURE))
