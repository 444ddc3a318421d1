"""The slices worth painting next stay known, as long as they are slices of the volume."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine, an_oblique_rotation
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.suggestions import SUGGESTIONS_ATTRIBUTE
from DiffusionSegCore.voxel_geometry import matrix_from_array
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, paint_slices, suggestions_by_place


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


LEFT_HANDED = {
    "left-handed": an_affine(np.diag([-1.0, 1.0, 1.0]), (1.0, 1.2, 2.0)),
    "oblique, left-handed": an_affine(an_oblique_rotation() @ np.diag([1, 1, -1]), (0.9, 1.2, 2.0)),
}


@pytest.mark.parametrize("affine", LEFT_HANDED.values(), ids=LEFT_HANDED)
def test_suggestions_come_back_at_the_same_places_where_the_file_turns_the_voxels_over(
    engine, scene, a_scene, another_scene, head, affine, tmp_path
):
    engine.set_input([a_volume_node(scene, head[0], affine)])
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], NAMES)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    assert len(engine.next_slices()) == 6
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: None, str(tmp_path))
    assert not np.allclose(again.nodes.volume().geometry.affine, affine)
    assert suggestions_by_place(again) == suggestions_by_place(engine)


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


def test_a_copy_of_the_volume_has_no_suggestions_of_its_own(suggested, scene, volume):
    _, engine = suggested
    copy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "copy")
    copy.Copy(volume)
    engine.set_input([copy])
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
