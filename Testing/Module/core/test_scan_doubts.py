"""Why structures of a scan may be missed is known for as long as the scan is what it was."""

from __future__ import annotations

import numpy as np
import pytest
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


@pytest.fixture
def doubted(predicted_engine, client, head):
    """Another volume that was segmented, and of which the worker has doubts."""
    client.doubts = [UNLIKE]
    other = a_volume_node(predicted_engine.scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "next patient")
    predicted_engine.finish_applying(predicted_engine.start_applying(other))
    return other


def test_doubts_of_another_volume_are_told_while_the_views_show_that(predicted_engine, doubted):
    predicted_engine.leave_views(doubted)
    assert predicted_engine.doubts == [f"next patient: {UNLIKE}"]
    predicted_engine.return_to_views()
    assert predicted_engine.doubts == []


def test_doubts_of_another_volume_stay_with_it_when_it_is_chosen(predicted_engine, volume, doubted):
    predicted_engine.set_input([doubted])
    assert predicted_engine.doubts == [UNLIKE]
    predicted_engine.set_input([volume])
    assert predicted_engine.doubts == []


def test_doubts_of_a_volume_that_was_deleted_keep_none_of_its_voxels(predicted_engine, doubted):
    predicted_engine.scene.RemoveNode(doubted)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert {node.GetName() for node in predicted_engine._doubts._told} == {"head"}
