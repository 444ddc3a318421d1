"""The worker learns from several painted scans."""

import numpy as np
import pytest
from painted_head import LABELS, dice, open_parameters, painting, volume
from worker_in_process import opened

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.extraction import ActivationExtractor

pytestmark = pytest.mark.usefixtures("memory_as_in_a_worker", "short_training")


def another_volume():
    """Nearly the same head, twice as bright."""
    image = volume()["volume"]
    return {"volume": 2 * image + np.random.default_rng(1).normal(0, 5, image.shape) * (image > 0)}


@pytest.fixture
def worker(tiny_bundle):
    """A worker that was taught another scan, and then told of the head's painting, which lacks one structure."""
    worker = opened(tiny_bundle)
    worker("open", open_parameters(tiny_bundle), another_volume())
    worker("annotate", *painting())
    worker.taught, _ = worker("lesson", {"name": "other"})
    worker("open", open_parameters(tiny_bundle), volume())
    parameters, arrays = painting()
    without_back = np.where(arrays["painted"] == 7, 0, arrays["painted"])
    # Nothing but what is painted is known, and what lies outside of the region.
    worker("annotate", {**parameters, "complete_slices": [[], [], []], "labels": LABELS[:1]}, {"painted": without_back})
    return worker


def test_what_was_painted_on_another_scan_is_learnt_too(worker):
    said, _ = worker("train", {"beside": ["other"]})
    assert [label["name"] for label in said["labels"]] == ["front", "back"]
    assert said["voxels"] > worker.taught["voxels"] > 1000
    assert dice(worker("predict")[1]["labelmap"], 7) > 0.6


def test_without_being_asked_for_it_only_the_open_scan_is_learnt(worker):
    said, _ = worker("train")
    assert [label["name"] for label in said["labels"]] == ["front"]


def test_structures_that_no_scan_shows_are_not_told_as_learnt(worker):
    parameters, arrays = painting()
    everywhere_front = {"painted": np.where(arrays["painted"] == 7, 0, arrays["painted"])}
    worker("annotate", {**parameters, "labels": LABELS}, everywhere_front)
    assert [label["name"] for label in worker("train")[0]["labels"]] == ["front"]


def test_a_warm_training_goes_on_beside_the_same_scans(worker):
    worker("train", {"beside": ["other"]})
    worker.heard.points.clear()
    worker("train", {"warm": True, "labels": LABELS[:1], "beside": ["other"]})
    assert [step for step, _, _ in worker.heard.points] == [40]


def test_a_scan_that_was_taught_again_teaches_what_is_painted_now(worker, tiny_bundle):
    worker("open", open_parameters(tiny_bundle), another_volume())
    parameters, arrays = painting()
    worker("annotate", {**parameters, "complete_slices": [[20], [], []]}, arrays)
    again, _ = worker("lesson", {"name": "other"})
    assert again["voxels"] < worker.taught["voxels"]
    assert worker("train", {"beside": ["other"]})[0]["voxels"] == 2 * again["voxels"]


def test_what_nobody_learns_from_any_more_is_not_kept(worker):
    worker("train")
    with pytest.raises(DiffusionSegError, match="not at hand"):
        worker("train", {"beside": ["other"]})


def test_a_lesson_that_nobody_taught_is_told_of(worker):
    with pytest.raises(DiffusionSegError, match="not at hand"):
        worker("train", {"beside": ["other", "third"]})


def test_a_scan_without_painting_teaches_nothing(tiny_bundle):
    worker = opened(tiny_bundle)
    with pytest.raises(DiffusionSegError, match="Nothing is annotated"):
        worker("lesson", {"name": "other"})


def test_features_of_a_scan_that_teaches_are_kept(worker, tiny_bundle, monkeypatch):
    monkeypatch.setattr(ActivationExtractor, "extract", None)
    worker("open", open_parameters(tiny_bundle), another_volume())
    worker("annotate", *painting())
    assert worker("lesson", {"name": "other"})[0]["voxels"] == worker.taught["voxels"]
