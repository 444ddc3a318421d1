"""The preview is out of sight where it would hide what Apply and Undo do."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import an_affine
from DiffusionSegCore import DiffusionSegEngine
from Module.mrml import a_volume_node


@pytest.fixture
def other(scene, head):
    """Another patient's scan."""
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 1)), "other")


def shown(engine) -> bool:
    return bool(engine.preview.GetDisplayVisibility())


def segment_the_volume(engine):
    engine.finish_prediction(engine.start_prediction())


def preview_a_slice(engine):
    engine.finish_preview(engine.start_preview([(0, 12)]))


def test_apply_hides_it_and_undo_shows_it_again(predicted_engine):
    assert shown(predicted_engine)
    predicted_engine.apply_preview()
    assert not shown(predicted_engine)
    predicted_engine.undo_apply()
    assert shown(predicted_engine)


@pytest.mark.parametrize("find", [segment_the_volume, preview_a_slice])
def test_what_is_found_after_apply_is_shown(predicted_engine, find):
    predicted_engine.apply_preview()
    find(predicted_engine)
    assert shown(predicted_engine)


@pytest.mark.parametrize("find", [segment_the_volume, preview_a_slice])
def test_one_that_the_user_has_hidden_stays_hidden(predicted_engine, find):
    predicted_engine.show_preview(False)
    find(predicted_engine)
    assert not shown(predicted_engine)


def test_what_the_user_does_after_apply_counts(predicted_engine):
    predicted_engine.apply_preview()
    predicted_engine.show_preview(True)
    assert shown(predicted_engine)
    predicted_engine.show_preview(False)
    segment_the_volume(predicted_engine)
    assert not shown(predicted_engine)


def test_apply_into_a_segmentation_out_of_sight_leaves_the_preview_to_be_seen(predicted_engine, finished):
    finished.SetDisplayVisibility(False)
    predicted_engine.apply_preview()
    assert shown(predicted_engine)


def test_apply_with_corrections_painted_since_the_last_one_hides_it_too(predicted_engine):
    predicted_engine.apply_preview()
    predicted_engine.mark_complete(0, 9)
    predicted_engine.apply_preview()
    assert not shown(predicted_engine)


def test_it_stays_hidden_after_another_volume_was_worked_on(predicted_engine, volume, other):
    predicted_engine.apply_preview()
    predicted_engine.set_input([other])
    predicted_engine.set_input([volume])
    assert not shown(predicted_engine)


def test_undo_from_another_volume_shows_it_with_its_own(predicted_engine, volume, other):
    preview = predicted_engine.preview
    predicted_engine.apply_preview()
    predicted_engine.set_input([other])
    predicted_engine.undo_apply()
    assert not preview.GetDisplayVisibility()
    predicted_engine.set_input([volume])
    assert preview.GetDisplayVisibility()


def test_one_that_is_painted_in_after_apply_is_seen(predicted_engine, volume):
    preview = predicted_engine.preview
    predicted_engine.apply_preview()
    predicted_engine.set_input([volume], preview)
    assert preview.GetDisplayVisibility()


def test_one_that_is_applied_while_the_views_show_another_volume_stays_out_of_sight(predicted_engine, other):
    predicted_engine.leave_views(other)
    result = predicted_engine.apply_preview()
    predicted_engine.return_to_views()
    assert [bool(node.GetDisplayVisibility()) for node in (predicted_engine.preview, result)] == [False, True]


def test_undo_goes_on_without_a_preview_that_was_deleted(predicted_engine, scene):
    predicted_engine.apply_preview()
    scene.RemoveNode(predicted_engine.preview)
    assert predicted_engine.undo_apply() == ["The last Apply to head segmentation was taken back."]


def test_a_saved_scene_knows_that_apply_had_hidden_it(predicted_engine, a_scene, another_scene, client, tmp_path):
    predicted_engine.apply_preview()
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: client, str(tmp_path))
    assert not shown(again)
    segment_the_volume(again)
    assert shown(again)
    again.close()
