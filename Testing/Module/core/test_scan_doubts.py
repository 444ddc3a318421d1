"""Why structures of a scan may be missed is known for as long as the scan is what it was."""

from __future__ import annotations

import numpy as np
import slicer
from conftest import an_affine
from Module.mrml import a_volume_node

UNLIKE = "The scan hardly looks like those that the model was made for."


def test_what_the_worker_doubts_is_known_after_any_work_on_the_scan(painted_engine, client):
    client.doubts = [UNLIKE]
    assert painted_engine.doubts == []
    painted_engine.finish_extraction(painted_engine.start_extraction())
    assert painted_engine.doubts == [UNLIKE]
    client.doubts = []
    painted_engine.finish_training(painted_engine.start_training())
    assert painted_engine.doubts == []
    client.doubts = [UNLIKE]
    painted_engine.finish_prediction(painted_engine.start_prediction())
    assert painted_engine.doubts == [UNLIKE]


def test_doubts_are_neither_those_of_another_model_nor_of_other_voxels(painted_engine, client, volume):
    client.doubts = [UNLIKE]
    painted_engine.finish_extraction(painted_engine.start_extraction())
    bundle, painted_engine.settings.bundle = painted_engine.settings.bundle, "another"
    assert painted_engine.doubts == []
    painted_engine.settings.bundle = bundle
    slicer.util.updateVolumeFromArray(volume, slicer.util.arrayFromVolume(volume) + 1)
    assert painted_engine.doubts == []


def test_doubts_of_another_volume_that_is_segmented_are_not_those_of_the_chosen_one(predicted_engine, client, head):
    client.doubts = [UNLIKE]
    other = a_volume_node(predicted_engine.scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next patient")
    predicted_engine.finish_applying(predicted_engine.start_applying(other))
    assert predicted_engine.doubts == []
