"""The slices worth painting next stay known, as long as they are slices of the volume."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.suggestions import SUGGESTIONS_ATTRIBUTE
from DiffusionSegCore.voxel_geometry import matrix_from_array
from Module.mrml import a_volume_node


@pytest.fixture
def suggested(predicted_engine):
    """What was suggested in the predicted engine, and that."""
    work = predicted_engine.start_suggesting()
    return predicted_engine.finish_suggesting(work), predicted_engine


def test_suggestions_come_back_from_a_scene_file(suggested, a_scene, another_scene, tmp_path):
    found, _ = suggested
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: None, str(tmp_path))
    assert again.suggestions == found
    assert len(found) == 6


def test_suggestions_stay_when_the_painting_changes(suggested):
    found, engine = suggested
    axis, index = found[0][0].place
    engine.add_slice(axis, index)
    engine.mark_complete(axis, index)
    assert [one.place for one, _ in engine.suggestions] == [one.place for one, _ in found]
    assert engine.suggestions[0][0].state == "complete"


def test_suggestions_belong_to_their_volume(suggested, scene, volume, head):
    found, engine = suggested
    engine.set_input([a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")])
    assert engine.suggestions == []
    engine.set_input([volume])
    assert engine.suggestions == found
    scene.RemoveNode(volume)
    assert engine.suggestions == []


def test_suggestions_for_other_voxels_are_none(suggested, volume):
    _, engine = suggested
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(slicer.util.arrayFromVolume(volume)[2:]))
    assert engine.suggestions == []
    volume.SetIJKToRASMatrix(matrix_from_array(an_affine(np.eye(3), (2, 1, 1))))
    assert engine.suggestions == []


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"affine": 1, "shape": [1], "slices": []}'])
def test_damaged_suggestions_are_none(suggested, volume, text):
    _, engine = suggested
    volume.SetAttribute(SUGGESTIONS_ATTRIBUTE, text)
    assert engine.suggestions == []
