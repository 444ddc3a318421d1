"""The worker's methods in this process, with a tiny bundle."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from painted_head import LABELS, dice, open_parameters, painting, volume
from worker_in_process import Worker, opened, train_briefly

from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.segmenter.segmenter import Segmenter

pytestmark = pytest.mark.usefixtures("memory_as_in_a_worker", "short_training")


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture(scope="module")
def trained(tiny_bundle):
    with pytest.MonkeyPatch.context() as patch:
        train_briefly(patch)
        worker = opened(tiny_bundle)
        worker("annotate", *painting())
        worker.answer = worker("train", {"warm": False})[0]
    return worker


def test_the_worker_introduces_itself(worker):
    said, _ = worker("hello")
    assert said["device"] in {"cpu", "cuda"}
    assert (said["why_no_gpu"] is None) == (said["device"] == "cuda")
    bundle = said["bundles"][0]
    assert set(bundle) == {"name", "description", "licence", "card", "channels"}
    assert bundle["channels"] == 1


def test_a_trained_worker_segments_the_volume(trained):
    assert trained.answer["voxels"] > 1000
    assert trained.answer["seconds"] > 0
    _, arrays = trained("predict", {"keep_largest": []})
    assert arrays["labelmap"].dtype == np.uint16
    assert arrays["uncertainty"].dtype == np.float32
    assert min(dice(arrays["labelmap"], value) for value in (3, 7)) > 0.85


def test_a_preview_is_the_same_slices_of_the_prediction(trained):
    slices = [[0, 20], [1, 11], [2, 30]]
    _, whole = trained("predict", {"keep_largest": []})
    _, found = trained("preview", {"slices": slices})
    assert len(found) == 6
    for number, (axis, index) in enumerate(slices):
        np.testing.assert_array_equal(found[f"slice_{number}"], whole["labelmap"].take(index, axis))
        expected = whole["uncertainty"].take(index, axis)
        np.testing.assert_allclose(found[f"uncertainty_{number}"], expected, atol=1e-5)


def test_the_curve_is_told_while_training(trained):
    assert [step for step, _, _ in trained.heard.points[:2]] == [40, 80]


def test_suggested_slices_have_numbers_for_axes(trained):
    found = trained("suggest", {"count": 3})[0]["slices"]
    assert 1 <= len(found) <= 3
    assert all(one["axis"] in {0, 1, 2} and 0 < one["score"] <= 1 for one in found)


def test_what_was_erased_since_the_prediction_is_unsure_again(tiny_bundle):
    worker = opened(tiny_bundle)
    parameters, arrays = painting()
    worker("annotate", parameters, arrays)
    worker("train")
    worker("predict")
    before = worker("suggest", {"count": 9})
    worker("annotate", parameters, {"painted": 0 * arrays["painted"]})
    assert worker("suggest", {"count": 9}) != before


def test_a_warm_training_goes_on_from_the_last_one(tiny_bundle):
    worker = opened(tiny_bundle)
    worker("annotate", *painting(2))
    worker("train", {"warm": False})
    worker("annotate", *painting(3))
    worker.heard.points.clear()
    worker("train", {"warm": True})
    assert [step for step, _, _ in worker.heard.points] == [40]
    assert dice(worker("predict", {})[1]["labelmap"], 3) > 0.8


def test_a_warm_training_with_other_classes_starts_anew(tiny_bundle):
    worker = opened(tiny_bundle)
    parameters, arrays = painting()
    worker("annotate", parameters, {"painted": np.where(arrays["painted"] == 7, 0, arrays["painted"])})
    worker("train", {"warm": False})
    worker("annotate", parameters, arrays)
    worker.heard.points.clear()
    worker("train", {"warm": True})
    assert worker.heard.points[-1][0] == 80


@pytest.mark.parametrize(("said", "last_step"), [({"labels": LABELS}, 40), ({}, 80)])
def test_a_warm_training_goes_on_after_a_structure_was_renamed_if_it_is_told_what_it_was_called(
    tiny_bundle, said, last_step
):
    worker = opened(tiny_bundle)
    parameters, arrays = painting()
    worker("annotate", parameters, arrays)
    worker("train")
    renamed = [{**LABELS[0], "name": "frontal"}, LABELS[1]]
    worker("annotate", {**parameters, "labels": renamed}, arrays)
    worker.heard.points.clear()
    worker("train", {"warm": True, **said})
    assert worker.heard.points[-1][0] == last_step
    _, saved = worker("save_segmenter")
    assert [label.name for label in Segmenter.from_bytes(saved["segmenter"].tobytes()).labels] == ["frontal", "back"]


def test_keeping_the_largest_piece_drops_the_others(trained):
    _, raw = trained("predict", {"keep_largest": []})
    _, cleaned = trained("predict", {"keep_largest": [3, 7]})
    changed = raw["labelmap"] != cleaned["labelmap"]
    assert not cleaned["labelmap"][changed].any()


def test_what_is_cleaned_up_is_saved_with_the_segmenter(trained, worker):
    trained("predict", {"keep_largest": [3, 7]})
    _, saved = trained("save_segmenter")
    said, _ = trained("load_segmenter", {}, saved)
    assert said["keep_largest"] == [3, 7]
    _, cleaned = trained("predict", {"keep_largest": [3, 7]})
    _, unasked = trained("predict")
    np.testing.assert_array_equal(unasked["labelmap"], cleaned["labelmap"])


def test_where_nothing_is_painted_any_more_nothing_stays_annotated(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    parameters, arrays = painting()
    worker("annotate", parameters, arrays)
    assert worker("annotate", parameters, {"painted": 0 * arrays["painted"]}) == ({"known_voxels": 0}, {})
    with pytest.raises(DiffusionSegError, match="Nothing is annotated"):
        worker("train")
    assert not Worker()("open", open_parameters(tiny_bundle, tmp_path), volume())[0]["annotated"]


def test_an_annotation_that_cannot_be_used_leaves_no_earlier_one_in_its_place(tiny_bundle):
    worker = opened(tiny_bundle)
    parameters, arrays = painting()
    worker("annotate", parameters, arrays)
    with pytest.raises(DiffusionSegError, match="lies outside the scan"):
        worker("annotate", {"complete_slices": [[999], [], []]}, arrays)
    with pytest.raises(DiffusionSegError, match="Nothing is annotated"):
        worker("train")


def test_paint_of_one_structure_alone_stays_in_what_is_found(tiny_bundle):
    worker = opened(tiny_bundle)
    parameters, arrays = painting()
    worker("annotate", parameters, arrays)
    worker("train")
    # Air is what no segmenter would ever find.
    only = np.zeros_like(arrays["painted"])
    only[0, 0, :5] = 7
    worker("annotate", {"labels": parameters["labels"]}, {"painted": only})
    _, found = worker("predict", {})
    assert (found["labelmap"][0, 0, :5] == 7).all()
    assert not found["uncertainty"][0, 0, :5].any()


def test_paint_of_one_structure_alone_is_told_of_before_anything_is_computed_to_learn_it(tiny_bundle):
    worker = opened(tiny_bundle)
    worker("annotate", {}, {"painted": painting()[1]["painted"] // 7})
    with pytest.raises(DiffusionSegError, match="one class only"):
        worker("train")
    assert not worker("open", open_parameters(tiny_bundle), volume())[0]["features_cached"]


def test_opening_the_same_scan_again_keeps_its_features(tiny_bundle):
    worker = opened(tiny_bundle)
    worker("extract")
    answer, _ = worker("open", open_parameters(tiny_bundle), volume())
    assert answer["features_cached"]


def test_work_that_was_stopped_can_be_done_again(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    worker("annotate", *painting())
    for stage in ("preparation", "features", "saving", "gathering", "training"):
        worker.heard.stop_at = stage
        with pytest.raises(KeyboardInterrupt):
            worker("train", {"warm": False})
    worker("train", {"warm": False})
    for stage in ("prediction", "clean-up"):
        worker.heard.stop_at = stage
        with pytest.raises(KeyboardInterrupt):
            worker("predict", {"keep_largest": [3]})
    worker.heard.stop_at = "preview"
    with pytest.raises(KeyboardInterrupt):
        worker("preview", {"slices": [[0, 20]]})
    assert dice(worker("predict", {})[1]["labelmap"], 3) > 0.85


def test_a_segmenter_goes_over_the_pipe_into_another_worker(trained, tiny_bundle):
    _, sent = trained("save_segmenter")
    assert sent["segmenter"].dtype == np.uint8
    other = Worker()
    said, _ = other("load_segmenter", {}, sent)
    assert said["bundle"] == "tiny"
    assert [{**label, "color": list(label["color"])} for label in said["labels"]] == [
        {**label, "terminology": ""} for label in LABELS
    ]
    other("open", open_parameters(tiny_bundle), volume())
    # What is annotated stays as it is annotated: one must not know more than the other.
    other("annotate", *painting())
    np.testing.assert_array_equal(other("predict", {})[1]["labelmap"], trained("predict", {})[1]["labelmap"])


def a_foreign_segmenter(trained):
    """One that was made with another model, as it comes over the pipe."""
    own = Segmenter.from_bytes(trained("save_segmenter")[1]["segmenter"].tobytes())
    foreign = replace(own, header=replace(own.header, bundle="other", bundle_digest="0" * 64))
    return {"segmenter": np.frombuffer(foreign.to_bytes(), np.uint8)}


def test_a_segmenter_of_another_model_is_loaded_while_a_scan_is_open_but_not_used_on_it(trained, tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    said, _ = worker("load_segmenter", {}, a_foreign_segmenter(trained))
    assert said["bundle"] == "other"
    for method, parameters in (("preview", {"slices": [[0, 20]]}), ("predict", {}), ("suggest", {"count": 1})):
        with pytest.raises(DiffusionSegError, match="other weights or settings of the bundle other"):
            worker(method, parameters)
    # Nor is it kept as this scan's.
    answer, _ = Worker()("open", open_parameters(tiny_bundle, tmp_path), volume())
    assert not answer["trained"]
    worker("annotate", *painting())
    worker("train", {"warm": True})
    assert dice(worker("predict", {})[1]["labelmap"], 3) > 0.8


def test_too_little_memory_is_answered_by_smaller_batches_and_a_message(trained, tiny_bundle, monkeypatch):
    activations = Denoisers.activations

    def limited(self, images, *rest):
        if len(images) > 3:
            raise torch.OutOfMemoryError("injected")
        return activations(self, images, *rest)

    worker = opened(tiny_bundle)
    monkeypatch.setattr(Denoisers, "activations", limited)
    with pytest.warns(DiffusionSegWarning, match="slices are computed at a time"):
        worker("extract")
    ours, theirs = worker.methods._session.features, trained.methods._session.features
    points = torch.from_numpy(np.argwhere(ours.tissue)[::101])
    torch.testing.assert_close(ours.at(points), theirs.at(points), atol=2e-2, rtol=0)


def test_an_estimate_grows_with_the_scan(worker, tiny_bundle):
    asked = {"bundle": str(tiny_bundle.folder), "device": "cpu", "affine": np.eye(4).tolist()}
    small, _ = worker("estimate", {**asked, "shape": [40, 40, 40]})
    large, _ = worker("estimate", {**asked, "shape": [160, 180, 200]})
    assert 0 < small["seconds"] < large["seconds"]
    assert 0 < small["bytes"] < large["bytes"]
    assert 0 < small["gpu_bytes"] < large["gpu_bytes"]
    assert large["available_bytes"] is None or large["available_bytes"] > 0
    assert large["available_gpu_bytes"] is None


@pytest.mark.parametrize("sent", [{}, {"segmenter": np.zeros((2, 2), np.uint8)}, {"segmenter": np.zeros(9, np.uint8)}])
def test_what_is_no_segmenter_is_told_of_and_the_last_one_stays(trained, sent):
    with pytest.raises(DiffusionSegError, match="segmenter"):
        trained("load_segmenter", {}, sent)
    trained("save_segmenter")


TOO_EARLY = [("extract", {}), ("train", {}), ("preview", {"slices": []}), ("predict", {}), ("suggest", {})]


@pytest.mark.parametrize(("method", "params"), TOO_EARLY)
def test_steps_in_the_wrong_order_are_told_of(worker, method, params):
    with pytest.raises(DiffusionSegError, match="No scan is open"):
        worker(method, params)


def test_a_scan_without_training_has_no_segmenter(tiny_bundle):
    worker = opened(tiny_bundle)
    for method, params in (("predict", {}), ("preview", {"slices": [[0, 1]]}), ("save_segmenter", {})):
        with pytest.raises(DiffusionSegError, match="no segmenter"):
            worker(method, params)
    with pytest.raises(DiffusionSegError, match="annotated"):
        worker("train", {})


WRONG = {
    "unknown parameter": {"colour": "red"},
    "no affine": {"affine": [[1, 2], [3, 4]]},
    "flat affine": {"affine": np.zeros((4, 4)).tolist()},
    "no such bundle": {"bundle": "no such"},
    "a number for a name": {"stem": 3},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_wrong_parameters_are_told_of_and_leave_the_last_scan_open(tiny_bundle, changes):
    worker = opened(tiny_bundle)
    with pytest.raises(DiffusionSegError):
        worker("open", open_parameters(tiny_bundle, **changes), volume())
    worker("extract")


def test_a_scan_without_voxels_or_with_bad_ones_is_told_of(worker, tiny_bundle):
    with pytest.raises(DiffusionSegError, match="volume"):
        worker("open", open_parameters(tiny_bundle), {})
    bad = volume()
    bad["volume"][0, 3, 3, 3] = np.nan
    with pytest.raises(DiffusionSegError, match="NaN"):
        worker("open", open_parameters(tiny_bundle), bad)


def test_the_worker_describes_a_bundle_on_its_computer(worker, tiny_bundle, tmp_path):
    said, _ = worker("describe", {"path": str(tiny_bundle.folder)})
    assert (said["name"], said["licence"], said["channels"]) == ("tiny", "CC0", 1)
    with pytest.raises(DiffusionSegError, match="no readable model bundle"):
        worker("describe", {"path": str(tmp_path)})
