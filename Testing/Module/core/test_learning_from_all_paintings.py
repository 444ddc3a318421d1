"""What is painted on other volumes of the scene is learnt, too."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS
from DiffusionSegCore.seeds import SEEDS_OF_VOLUME
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, add_segment, masks_by_name, paint, paint_slices

from DiffusionSegLib.errors import DiffusionSegError

AFFINE = an_affine(np.eye(3), (1.0, 1.0, 1.0))


def calls(client):
    made, client.calls = client.calls, []
    return made


@pytest.fixture
def other(scene, head):
    return a_volume_node(scene, np.ascontiguousarray(head[0][::-1]), AFFINE, "other")


@pytest.fixture
def second_patient(painted_engine, other, head, client):
    """An engine that was trained on the head, and then took up another one, of which only the caudate is painted."""
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.set_input([other])
    painted_engine.propose_slices(stride=3)
    paint_slices(painted_engine, np.ascontiguousarray(head[1][::-1]), {3: NAMES[3]})
    for found in painted_engine.annotation_slices():
        painted_engine.mark_complete(*found.place, complete=False)
    calls(client)
    return painted_engine


def train(engine, **options):
    return engine.finish_training(engine.start_training(all_paintings=True, **options))


def test_the_other_volume_is_read_before_the_chosen_one(second_patient, client, volume, other):
    train(second_patient)
    # The other one is still open.
    assert calls(client) == ["annotate", "lesson", "open", "annotate", "train", "save_segmenter"]
    assert client.trained["beside"] == [volume.GetID()]
    np.testing.assert_array_equal(client.volume[0], slicer.util.arrayFromVolume(other).transpose(2, 1, 0))


def test_what_only_the_other_volume_shows_is_known_and_found(second_patient, head, other):
    train(second_patient)
    assert {label.name for label in second_patient.labels} == set(NAMES.values())
    second_patient.finish_prediction(second_patient.start_prediction())
    found = masks_by_name(second_patient.preview, other)[NAMES[7]]
    truth = head[1][::-1] == 7
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.8


def test_what_the_worker_was_taught_is_not_told_again(second_patient, client):
    train(second_patient)
    calls(client)
    train(second_patient, warm=True)
    assert calls(client) == ["annotate", "train", "save_segmenter"]
    assert client.trained["warm"]
    assert len(client.trained["beside"]) == 1


def test_the_other_volume_is_told_of_again_after_more_was_painted_on_it(second_patient, client, volume, other):
    train(second_patient)
    second_patient.set_input([volume])
    second_patient.mark_complete(0, 3)
    second_patient.set_input([other])
    calls(client)
    train(second_patient)
    assert calls(client)[:4] == ["open", "annotate", "lesson", "open"]


def test_a_worker_that_was_started_again_is_told_again(second_patient, client):
    train(second_patient)
    calls(client)
    client.kill()
    train(second_patient)
    assert calls(client)[:4] == ["open", "annotate", "lesson", "open"]


def test_a_worker_that_others_have_started_again_is_told_again(second_patient, client):
    train(second_patient)
    client.kill()
    client.restart()
    calls(client)
    train(second_patient)
    assert calls(client)[:4] == ["open", "annotate", "lesson", "open"]


def test_after_kept_work_was_deleted_all_is_told_again(second_patient, client):
    train(second_patient)
    second_patient.start_forgetting().result()
    calls(client)
    train(second_patient)
    assert "lesson" in calls(client)


def test_unless_it_is_wanted_nothing_else_is_learnt(second_patient, client):
    second_patient.finish_training(second_patient.start_training())
    assert "lesson" not in calls(client)
    assert [label.name for label in second_patient.labels] == [NAMES[3]]


def test_volumes_without_paint_are_passed_over(painted_engine, client, other):
    painted_engine.set_input([other])
    painted_engine.set_input([painted_engine.scene.GetFirstNodeByName("head")])
    assert train(painted_engine)["warnings"] == ["On no other volume anything is painted."]
    assert calls(client) == ["open", "annotate", "train", "save_segmenter"]


def test_of_several_channels_only_the_chosen_scan_is_learnt_and_this_is_told(
    second_patient, scene, head, other, client
):
    channel = a_volume_node(scene, head[0], AFFINE, "channel")
    second_patient.set_input([other, channel])
    warnings = train(second_patient)["warnings"]
    assert any("several channels" in warning for warning in warnings)
    assert "lesson" not in calls(client)


def test_a_painting_that_cannot_be_told_of_is_named(second_patient, client, volume):
    volume.GetNodeReference(SEEDS_OF_VOLUME).GetNodeReference(REGION_OF_SEEDS).SetCenter(500, 500, 500)
    with pytest.raises(DiffusionSegError, match="head: The background region encloses no voxel"):
        second_patient.start_training(all_paintings=True)
    assert calls(client) == []


def test_a_failure_in_the_other_volume_leaves_the_scene_as_it_was(second_patient, client):
    client.faults["lesson"] = DiffusionSegError("The memory is short.")
    before = second_patient.state.value("Segmenter")
    with pytest.raises(DiffusionSegError, match="memory is short"):
        train(second_patient)
    assert second_patient.state.value("Segmenter") == before
    calls(client)
    train(second_patient)
    assert calls(client)[-3:] == ["annotate", "train", "save_segmenter"]


def test_calls_about_another_volume_name_it_to_whoever_hears_of_them(second_patient, client):
    client.about.clear()
    train(second_patient)
    named = dict(zip(calls(client), client.about, strict=True))
    assert (named["lesson"], named["open"], named["train"]) == ("head", "", "")


def test_what_fails_about_another_volume_names_it(second_patient, client):
    client.faults["lesson"] = DiffusionSegError("Nothing of what is annotated is tissue.", "Check the painting.")
    with pytest.raises(DiffusionSegError, match=r"^head: Nothing of what is annotated is tissue\. Check"):
        train(second_patient)
    client.faults["train"] = DiffusionSegError("The memory is short.")
    with pytest.raises(DiffusionSegError, match=r"^The memory is short"):
        train(second_patient)


def test_which_other_volumes_were_learnt_is_told(second_patient):
    assert "Also learnt: what is painted on head." in train(second_patient)["warnings"]


def test_a_volume_whose_voxels_are_missing_is_passed_over(second_patient, client, volume):
    volume.SetAndObserveImageData(None)
    train(second_patient)
    assert client.trained["beside"] == []


def test_a_painting_that_several_images_of_a_body_share_is_learnt_once(second_patient, scene, head, volume, client):
    flair = a_volume_node(scene, head[0] * 2, AFFINE, "FLAIR")
    chosen = second_patient.nodes.volume().first
    painting = volume.GetNodeReference(SEEDS_OF_VOLUME)
    second_patient.set_input([flair], painting)
    second_patient.set_input([chosen])
    train(second_patient)
    assert client.trained["beside"] == [volume.GetID()]


def test_a_painting_is_not_learnt_beside_its_copy_on_a_cropped_volume(painted_engine, scene, head, client):
    painting = painted_engine.seeds
    cropped = a_volume_node(scene, head[0][2:-2, 2:-2, 2:-2], an_affine(np.eye(3), (1.0, 1.0, 1.0)), "cropped")
    shift = cropped.GetOrigin()
    cropped.SetOrigin(*(place + 2 for place in shift))
    (warning,) = painted_engine.set_input([cropped], painting)
    assert "is its copy" in warning
    assert painted_engine.seeds is not painting
    train(painted_engine)
    assert client.trained["beside"] == []


def test_of_volumes_that_are_gone_nothing_is_kept(second_patient, volume):
    train(second_patient)
    assert list(second_patient.worker._lessons) == [volume.GetID()]
    second_patient.scene.RemoveNode(volume)
    train(second_patient)
    assert second_patient.worker._lessons == {}


def test_paint_since_the_prediction_is_applied_whatever_value_the_structure_has_here(second_patient, other, head):
    train(second_patient)
    second_patient.finish_prediction(second_patient.start_prediction())
    # Before the structure that only the other scan has shown, so that this has another value here.
    add_segment(second_patient.seeds, "Thalamus")
    stroke = np.zeros(head[1].shape, bool)
    stroke[1:4, 1:4, 1:4] = True
    paint(second_patient.seeds, add_segment(second_patient.seeds, NAMES[7]), stroke, VoxelGeometry.of(other))
    assert masks_by_name(second_patient.apply_preview(), other)[NAMES[7]][stroke].all()
