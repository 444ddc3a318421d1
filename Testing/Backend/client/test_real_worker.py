"""The client with the real worker and a tiny bundle: the whole story, and faults at every stage of it."""

import os
import signal
import time

import numpy as np
import pytest
from painted_head import a_client, dice, open_parameters, painting, volume
from safetensors.numpy import load_file

from DiffusionSegLib.client import WorkerDied, WorkerError

SLICES = {"slices": [[0, 20], [1, 11], [2, 30]]}
TRAIN, PREVIEW, PREDICT = ("train", {}), ("preview", SLICES), ("predict", {"keep_largest": [3, 7]})
# Every stage that the worker reports, in the order in which they come.
STAGES = [
    ("preparation", TRAIN),
    ("features", TRAIN),
    ("saving", TRAIN),
    ("gathering", TRAIN),
    ("training", TRAIN),
    ("preview", PREVIEW),
    ("prediction", PREDICT),
    ("clean-up", PREDICT),
]


def opened(client, bundle, session_folder):
    client.call("open", open_parameters(bundle, session_folder), volume())
    client.call("annotate", *painting())
    return client


def at(stage, act):
    """Acts once the stage is reported."""
    acted = []

    def report(name, done, total):
        if name == stage and not acted:
            acted.append(time.monotonic())
            act()

    return report, acted


def call_of(stage, client):
    """Parameters of the call that the stage belongs to, after all that must come before it."""
    if stage[0] == "preview":
        client.call(*TRAIN)
    return stage[1]


def test_nine_slices_in_and_the_volume_out(tiny_bundle, tmp_path):
    with a_client() as client:
        opened(client, tiny_bundle, tmp_path)
        told = []
        answer, _ = client.call("train", {}, on_progress=lambda *report: told.append(report))
        assert answer["voxels"] > 1000
        assert list(dict.fromkeys(stage for stage, _, _ in told)) == [stage for stage, call in STAGES if call == TRAIN]
        notified = client.poll()
        assert [one["params"]["step"] for one in notified if one["method"] == "curve"] == [40, 80]
        assert {one["method"] for one in notified} == {"curve", "progress"}
        _, seen = client.call(*PREVIEW)
        _, found = client.call("predict", {})
        assert min(dice(found["labelmap"], value) for value in (3, 7)) > 0.85
        np.testing.assert_array_equal(seen["slice_1"], found["labelmap"][:, 11])
        _, sent = client.call("save_segmenter", {})
        assert client.call("load_segmenter", {}, sent)[0]["bundle"] == "tiny"
        with pytest.raises(WorkerError, match="no method dance"):
            client.call("dance", {})
        assert client.alive


def test_a_cancel_in_any_stage_stops_within_a_second_and_the_next_call_works(tiny_bundle, tmp_path):
    with a_client("dawdle", 0.3) as client:
        opened(client, tiny_bundle, tmp_path)
        process = client.process_id
        for stage in STAGES:
            method, params = call_of(stage, client)
            report, acted = at(stage[0], client.cancel)
            with pytest.raises(WorkerError, match=r"^Stopped\.$"):
                client.call(method, params, on_progress=report)
            assert time.monotonic() - acted[0] < 1, stage
        assert (client.alive, client.process_id) == (True, process)
        _, found = client.call("predict", {})
        assert dice(found["labelmap"], 3) > 0.85


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_worker_killed_in_any_stage_is_replaced_by_one_that_goes_on(tiny_bundle, tmp_path):
    with a_client("dawdle", 0.1) as client:
        opened(client, tiny_bundle, tmp_path)
        cached = {}
        for stage in STAGES:
            method, params = call_of(stage, client)
            report, acted = at(stage[0], lambda: os.kill(client.process_id, signal.SIGKILL))
            with pytest.raises(WorkerDied, match="by force") as found:
                client.call(method, params, on_progress=report)
            assert acted
            assert "Try again" in found.value.hint
            assert not client.alive
            answer, _ = client.restart().result()
            assert answer["annotated"], stage
            cached[stage[0]] = answer["features_cached"]
        assert cached == {name: name not in {"preparation", "features", "saving"} for name, _ in STAGES}
        _, found = client.call("predict", {})
        assert dice(found["labelmap"], 3) > 0.85


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_worker_killed_between_views_is_replaced_by_one_that_computes_the_others_alone(tiny_bundle, tmp_path):
    def kill_at_the_second_view(stage, done, _total):
        if (stage, done) == ("features", 2):
            os.kill(client.process_id, signal.SIGKILL)

    cut, whole = tmp_path / "cut", tmp_path / "whole"
    with a_client("dawdle", 0.5) as client:
        client.call("open", open_parameters(tiny_bundle, cut), volume())
        with pytest.raises(WorkerDied):
            client.call("extract", {}, on_progress=kill_at_the_second_view)
        kept = len(list(cut.glob("scan-*/features-view*")))
        assert kept >= 1
        assert not client.restart().result()[0]["features_cached"]
        told = []
        client.call("extract", {}, on_progress=lambda *report: told.append(report))
        assert [report[1:] for report in told if report[0] == "features"] == [(n, 3) for n in range(kept + 1, 4)]
    with a_client() as client:
        client.call("open", open_parameters(tiny_bundle, whole), volume())
        client.call("extract", {})
    [first], [second] = cut.glob("scan-*"), whole.glob("scan-*")
    names = sorted(path.name for path in second.iterdir())
    # A view that was just being written when the worker was killed stays beside them, hidden and half-written.
    assert sorted(path.name for path in first.glob("[!.]*")) == names
    assert len(names) == 4
    for name in names:
        found, wanted = load_file(first / name), load_file(second / name)
        assert list(found) == list(wanted)
        assert all(np.array_equal(found[key], wanted[key]) for key in wanted), name


def test_a_worker_that_hangs_is_ended_by_a_cancel_and_its_features_are_kept(tiny_bundle, tmp_path):
    with a_client("hang", "training") as client:
        opened(client, tiny_bundle, tmp_path)
        report, acted = at("training", client.cancel)
        with pytest.raises(WorkerDied, match="did not stop"):
            client.call(*TRAIN, on_progress=report)
        assert time.monotonic() - acted[0] < 3
        answer, _ = client.restart().result()
        assert answer["features_cached"]
        assert client.call("annotate", *painting())[0]["known_voxels"] > 1000


def test_what_libraries_print_goes_to_the_log_and_harms_nothing(tiny_bundle):
    with a_client("chatty") as client:
        client.call("open", open_parameters(tiny_bundle), volume())
        client.call("extract", {})
        for said in ("a library says hello", "so does C", "and a child"):
            assert said in client.log()


def test_a_shortage_of_memory_is_told_and_the_work_done(tiny_bundle):
    with a_client("short-of-memory") as client:
        client.call("open", open_parameters(tiny_bundle), volume())
        client.call("extract", {})
        warnings = [told["params"]["message"] for told in client.poll() if told["method"] == "warning"]
        assert warnings
        assert warnings[-1].startswith("The memory is short: 1 slices")


def test_a_torch_that_cannot_be_loaded_is_told_with_the_way_out():
    with a_client("no-torch") as client:
        with pytest.raises(WorkerError, match="cannot be loaded") as found:
            client.call("hello", {})
        assert "PyTorch" in found.value.hint
        assert client.alive


def test_a_full_disk_costs_a_warning_and_no_work(tiny_bundle, full_disk):
    with a_client() as client:
        opened(client, tiny_bundle, full_disk)
        client.call(*TRAIN)
        told = [one["params"]["message"] for one in client.poll() if one["method"] == "warning"]
        assert any("no space left" in message and "not kept" in message for message in told)
        assert client.call("save_segmenter", {})[1]["segmenter"].size > 0
        assert dice(client.call("predict", {})[1]["labelmap"], 3) > 0.85
