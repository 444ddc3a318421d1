"""Which calls the worker gets."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine
from DiffusionSegCore import DiffusionSegEngine
from Module.fake_worker_client import FakeWorkerClient
from Module.mrml import a_volume_node, masks_by_name, paint_slices

from DiffusionSegLib.errors import DiffusionSegError


def calls(client):
    made, client.calls = client.calls, []
    return made


def test_a_scan_is_opened_once(painted_engine, client):
    painted_engine.finish_training(painted_engine.start_training())
    assert calls(client) == ["open", "annotate", "train", "save_segmenter"]
    painted_engine.finish_training(painted_engine.start_training(warm=True))
    painted_engine.finish_preview(painted_engine.start_preview([(0, 12)]))
    painted_engine.finish_prediction(painted_engine.start_prediction())
    painted_engine.next_slices()
    assert calls(client) == ["annotate", "train", "save_segmenter", "preview", "predict", "suggest"]


def test_changed_voxels_are_sent_again(painted_engine, client, volume):
    painted_engine.finish_training(painted_engine.start_training())
    calls(client)
    slicer.util.arrayFromVolume(volume)[:] += 1
    slicer.util.arrayFromVolumeModified(volume)
    painted_engine.finish_training(painted_engine.start_training())
    assert calls(client)[0] == "open"


def test_the_scan_is_opened_again_where_more_of_it_may_be_kept(painted_engine, client):
    painted_engine.finish_extraction(painted_engine.start_extraction())
    assert "session_bytes" not in client.opened
    painted_engine.limit_kept_work(30 * 10**9)
    painted_engine.finish_training(painted_engine.start_training())
    assert calls(client) == ["open", "extract", "open", "annotate", "train", "save_segmenter"]
    assert client.opened["session_bytes"] == 30 * 10**9
    painted_engine.renew_worker("another folder", 5 * 10**9)
    painted_engine.finish_prediction(painted_engine.start_prediction())
    assert (client.opened["session_folder"], client.opened["session_bytes"]) == ("another folder", 5 * 10**9)


def test_another_bundle_opens_the_scan_again(painted_engine, client):
    painted_engine.finish_training(painted_engine.start_training())
    calls(client)
    painted_engine.settings.bundle = "other"
    painted_engine.finish_training(painted_engine.start_training())
    assert calls(client)[0] == "open"
    assert client.opened["bundle"] == "other"


def test_a_segmenter_of_another_bundle_is_loaded_again_for_the_worker_to_judge(predicted_engine, client):
    calls(client)
    predicted_engine.settings.bundle = "other"
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert calls(client) == ["open", "load_segmenter", "annotate", "predict"]


def test_the_volumes_name_stays_in_the_scene(painted_engine, client, volume):
    volume.SetName("Doe^Jane")
    painted_engine.finish_training(painted_engine.start_training())
    assert "Doe" not in str(client.opened) + str(client.annotated)


def test_work_is_done_step_by_step_when_polled(painted_engine, client):
    client.slow = {"train"}
    work = painted_engine.start_training()
    assert not work.done
    assert work.method == "train"
    client.slow = set()
    assert work.done
    assert painted_engine.finish_training(work)["voxels"] > 0


def test_waiting_no_longer_than_told(painted_engine, client):
    client.slow = {"train"}
    work = painted_engine.start_training()
    with pytest.raises(TimeoutError):
        work.result(0.01)
    client.slow = set()
    painted_engine.finish_training(work)


def test_a_segmenter_is_saved_loaded_and_applied_to_another_volume(predicted_engine, scene, head, client, tmp_path):
    path = tmp_path / "kept.safetensors"
    predicted_engine.save_segmenter(path)
    fresh = FakeWorkerClient()
    engine = DiffusionSegEngine(scene, lambda: fresh)
    scene.Clear(False)
    labels = engine.load_segmenter(path)
    assert [label.name for label in labels] == ["Caudate", "Putamen"]
    assert engine.settings.bundle == "tiny"
    other = a_volume_node(scene, head[0], an_affine([[0, 1, 0], [0, 0, 1], [1, 0, 0]], (1, 1, 2)), "next patient")
    segmentation = engine.finish_applying(engine.start_applying(other))
    assert fresh.calls == ["hello", "load_segmenter", "open", "annotate", "predict"]
    masks = masks_by_name(segmentation, other)
    assert (masks["Caudate"] & (head[1] == 3)).sum() > 0.9 * (head[1] == 3).sum()
    engine.close()


def test_whether_only_the_largest_parts_are_kept_comes_back_with_the_segmenter(predicted_engine, tmp_path):
    predicted_engine.settings.keep_largest = True
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    predicted_engine.settings.keep_largest = False
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    assert predicted_engine.settings.keep_largest


def test_a_loaded_segmenter_goes_on_cleaning_up_the_structures_that_it_names(predicted_engine, client, tmp_path):
    client.keep_largest = [2]
    path = tmp_path / "kept.safetensors"
    predicted_engine.state.set_value("CleanedUp", [2])
    predicted_engine.settings.keep_largest = True
    predicted_engine.save_segmenter(path)
    predicted_engine.load_segmenter(path)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert client.keep_largest == [2]
    predicted_engine.finish_training(predicted_engine.start_training())
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert client.keep_largest == [label.value for label in predicted_engine.labels]


def test_only_the_largest_parts_are_kept_everywhere_if_that_is_wanted(
    predicted_engine, scene, head, client, monkeypatch
):
    asked, start = [], client.start
    monkeypatch.setattr(
        client,
        "start",
        lambda method, params, *rest, **more: asked.append((method, params)) or start(method, params, *rest, **more),
    )
    other = a_volume_node(scene, head[0], an_affine(np.eye(3), (1, 1, 2)), "next patient")
    for wanted in (False, True):
        predicted_engine.settings.keep_largest = wanted
        predicted_engine.finish_prediction(predicted_engine.start_prediction())
        predicted_engine.finish_applying(predicted_engine.start_applying(other))
    kept = [params["keep_largest"] for method, params in asked if method == "predict"]
    assert kept == [[], [], [1, 2], [1, 2]]


def test_applying_elsewhere_leaves_the_task_as_it_is(predicted_engine, scene, head, volume, client):
    before = masks_by_name(predicted_engine.preview, volume)
    other = a_volume_node(scene, head[0], an_affine([[1, 0, 0], [0, 1, 0], [0, 0, 1]], (1, 1, 2)), "next patient")
    predicted_engine.finish_applying(predicted_engine.start_applying(other))
    after = masks_by_name(predicted_engine.preview, volume)
    assert (before["Caudate"] == after["Caudate"]).all()
    calls(client)
    predicted_engine.next_slices()
    assert calls(client) == ["open", "annotate", "suggest"]


def test_a_bundle_that_only_the_user_knows_stays_chosen(predicted_engine, client, tmp_path):
    predicted_engine.settings.bundle = "/home/me/my bundle"
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    client.faults = {"hello": ({"bundles": []}, {})}
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    assert predicted_engine.settings.bundle == "/home/me/my bundle"


def test_loading_a_segmenter_needs_no_scan_to_be_opened_with_the_model_of_before(predicted_engine, client, tmp_path):
    predicted_engine.settings.bundle = "other"
    predicted_engine.save_segmenter(tmp_path / "kept.safetensors")
    calls(client)
    predicted_engine.load_segmenter(tmp_path / "kept.safetensors")
    assert calls(client) == ["hello", "load_segmenter"]
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert client.opened["bundle"] == "tiny"


def test_a_segmenter_never_lies_on_the_workers_disk(scene, client, volume, head, tmp_path, monkeypatch):
    sent, start = [], client.start
    monkeypatch.setattr(client, "start", lambda *call, **more: sent.append(call[:2]) or start(*call, **more))
    there, here = tmp_path / "there", tmp_path / "here"
    here.mkdir()
    engine = DiffusionSegEngine(scene, lambda: client, str(there))
    engine.set_input([volume])
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], {3: "Caudate", 7: "Putamen"})
    engine.finish_training(engine.start_training())
    engine.save_segmenter(here / "mine.safetensors")
    engine.load_segmenter(here / "mine.safetensors")
    assert not there.exists()
    assert [path.name for path in here.iterdir()] == ["mine.safetensors"]
    assert [params for method, params in sent if "segmenter" in method] == [{}, {"keep_largest": []}, {}]
    assert {params["session_folder"] for method, params in sent if method == "open"} == {str(there)}


@pytest.mark.parametrize(
    ("path", "told"), [("gone/kept.safetensors", "There is no segmenter"), (".", "cannot be read")]
)
def test_a_segmenter_file_that_cannot_be_read_is_told_of(predicted_engine, tmp_path, path, told):
    with pytest.raises(DiffusionSegError, match=told):
        predicted_engine.load_segmenter(tmp_path / path)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())


def test_a_file_that_cannot_be_written_is_told_of_and_the_next_one_works(predicted_engine, full_disk, tmp_path, client):
    (full_disk / "filler").write_bytes(bytes(20_000))
    client.labels = [{**label, "terminology": "x" * 8000} for label in client.labels]
    with pytest.raises(DiffusionSegError, match="no space left"):
        predicted_engine.save_segmenter(full_disk / "mine.safetensors")
    assert [path.name for path in full_disk.iterdir()] == ["filler"]
    predicted_engine.save_segmenter(tmp_path / "mine.safetensors")


def test_a_model_that_was_not_chosen_yet_is_asked_for(painted_engine, client):
    painted_engine.settings.bundle = ""
    for start in (painted_engine.start_training, painted_engine.start_estimate, painted_engine.start_extraction):
        with pytest.raises(DiffusionSegError, match="No model is chosen"):
            start()
    assert calls(client) == []


def test_a_file_that_is_no_segmenter_changes_nothing(predicted_engine, tmp_path):
    before = predicted_engine.labels
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DiffusionSegError, match="no segmenter"):
        predicted_engine.load_segmenter(tmp_path / "notes.txt")
    assert predicted_engine.labels == before
    predicted_engine.finish_prediction(predicted_engine.start_prediction())


def test_the_estimate_and_the_features_can_be_asked_for_ahead(engine, volume, client):
    engine.set_input([volume])
    assert engine.start_estimate().result()[0]["seconds"] > 0
    engine.start_extraction().result()
    assert calls(client) == ["estimate", "open", "extract"]
    assert engine.start_hello().result()[0]["device"] == "cpu"


def test_a_new_worker_is_told_everything_in_its_folder_and_apply_can_be_undone(predicted_engine, client, tmp_path):
    predicted_engine.apply_preview()
    client.kill()
    predicted_engine.renew_worker(str(tmp_path / "other"))
    client.restart()
    calls(client)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert calls(client) == ["open", "load_segmenter", "annotate", "predict"]
    assert client.opened["session_folder"] == str(tmp_path / "other")
    assert predicted_engine.can_undo
    predicted_engine.undo_apply()
