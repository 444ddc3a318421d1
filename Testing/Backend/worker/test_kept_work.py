"""What the worker keeps of its work in the session folder."""

import numpy as np
import pytest
from painted_head import dice, open_parameters, painting, volume
from safetensors import SafetensorError
from worker_in_process import Worker, opened

from DiffusionSegLib.diffusion.denoisers import Denoisers

pytestmark = pytest.mark.usefixtures("memory_as_in_a_worker", "short_training")


def test_computed_work_survives_in_the_session_folder(tiny_bundle, tmp_path, monkeypatch):
    worker = opened(tiny_bundle, tmp_path)
    worker("annotate", *painting())
    worker("train", {"warm": False})
    _, expected = worker("predict", {})
    monkeypatch.setattr(Denoisers, "activations", None)
    again = Worker()
    answer, _ = again("open", open_parameters(tiny_bundle, tmp_path), volume())
    assert answer["features_cached"]
    assert answer["annotated"]
    assert answer["trained"]
    _, found = again("predict", {})
    np.testing.assert_array_equal(found["labelmap"], expected["labelmap"])
    again("train", {"warm": True})


def test_another_scan_finds_none_of_it_but_takes_the_segmenter_along(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    worker("annotate", *painting())
    worker("train", {"warm": False})
    other = {"volume": volume()["volume"][:, ::-1].copy()}
    answer, _ = worker("open", open_parameters(tiny_bundle, tmp_path), other)
    assert not answer["features_cached"]
    assert not answer["annotated"]
    assert answer["trained"]
    _, found = worker("predict", {})
    assert dice(found["labelmap"][::-1], 3) > 0.6
    # What was applied to a scan is also what goes on with it after a crash.
    again = Worker()
    answer, _ = again("open", open_parameters(tiny_bundle, tmp_path), other)
    assert answer["trained"]


def test_a_full_disk_costs_a_warning_and_no_work(tiny_bundle, full_disk):
    worker = opened(tiny_bundle, full_disk)
    worker("annotate", *painting())
    worker("train", {"warm": False})
    assert any("no space left" in warning for warning in worker.heard.warnings)
    assert dice(worker("predict", {})[1]["labelmap"], 3) > 0.85


def test_a_disk_that_fails_costs_a_warning_and_no_work(tiny_bundle, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise SafetensorError("Error while serializing: I/O error: Input/output error (os error 5)")

    monkeypatch.setattr("DiffusionSegLib.features.features_file.save_file", fail)
    worker = opened(tiny_bundle, tmp_path)
    worker("annotate", *painting())
    worker("train", {"warm": False})
    assert any("cannot be written to. Your work goes on" in warning for warning in worker.heard.warnings)


def test_a_session_folder_that_may_hold_too_little_costs_a_warning_and_no_work(tiny_bundle, tmp_path):
    worker = Worker()
    worker("open", open_parameters(tiny_bundle, tmp_path, session_bytes=1000), volume())
    worker("extract")
    assert ["too little" in warning for warning in worker.heard.warnings].count(True) == 1
    assert worker("open", open_parameters(tiny_bundle), volume())[0]["features_cached"]
    assert not Worker()("open", open_parameters(tiny_bundle, tmp_path), volume())[0]["features_cached"]


def test_what_was_too_much_is_kept_once_more_is_allowed(tiny_bundle, tmp_path):
    worker = Worker()
    worker("open", open_parameters(tiny_bundle, tmp_path, session_bytes=1000), volume())
    worker("extract")
    worker("open", open_parameters(tiny_bundle, tmp_path), volume())
    worker("extract")
    assert Worker()("open", open_parameters(tiny_bundle, tmp_path), volume())[0]["features_cached"]


def test_forgetting_frees_the_session_folder(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    worker("extract")
    assert worker("forget", {"path": str(tmp_path)})[0]["bytes"] > 10_000
    assert not list(tmp_path.iterdir())
    worker("annotate", *painting())
    worker("train", {})
