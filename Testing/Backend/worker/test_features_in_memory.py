"""Features of the scans that the worker had open before."""

import pytest
from painted_head import open_parameters, volume
from worker_in_process import opened

from DiffusionSegLib.diffusion.denoisers import Denoisers

pytestmark = pytest.mark.usefixtures("memory_as_in_a_worker", "short_training")


def other_volume():
    return {"volume": volume()["volume"][:, ::-1].copy()}


def test_a_scan_that_was_open_before_needs_no_denoiser_and_no_disk(tiny_bundle, monkeypatch):
    worker = opened(tiny_bundle)
    worker("extract")
    before = worker.methods._session.features
    worker("open", open_parameters(tiny_bundle), other_volume())
    worker("extract")
    monkeypatch.setattr(Denoisers, "activations", None)
    answer, _ = worker("open", open_parameters(tiny_bundle), volume())
    assert answer["features_cached"]
    worker("extract")
    assert worker.methods._session.features is before


def test_memory_for_earlier_scans_has_a_limit(tiny_bundle):
    worker = opened(tiny_bundle)
    worker("extract")
    worker("open", open_parameters(tiny_bundle, memory_bytes=0), other_volume())
    answer, _ = worker("open", open_parameters(tiny_bundle, memory_bytes=0), volume())
    assert not answer["features_cached"]


def test_what_is_forgotten_is_in_no_memory_either(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    worker("extract")
    worker("forget", {"path": str(tmp_path)})
    worker("open", open_parameters(tiny_bundle), other_volume())
    answer, _ = worker("open", open_parameters(tiny_bundle), volume())
    assert not answer["features_cached"]


def test_a_scan_opened_again_is_not_written_again(tiny_bundle, tmp_path):
    worker = opened(tiny_bundle, tmp_path)
    worker("extract")
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("features*")}
    worker("open", open_parameters(tiny_bundle, tmp_path), other_volume())
    worker("open", open_parameters(tiny_bundle, tmp_path), volume())
    worker("extract")
    assert written
    assert {path: path.stat().st_mtime_ns for path in written} == written
