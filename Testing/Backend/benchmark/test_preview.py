"""How long a user waits, on a phantom with a worker that trains little."""

import sys
from pathlib import Path

import pytest
from conftest import a_head, a_volume

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark.preview import HEADER, Round, from_scratch, gain, prepare, rounds
from DiffusionSegLib.client import WorkerClient
from DiffusionSegLib.labels import Label

STRUCTURES = [Label.generic(3), Label.generic(7)]
WORKER = [sys.executable, str(Path(__file__).parents[2] / "quick_worker.py")]


def test_waiting_times_add_up_and_say_what_they_consist_of(tiny_bundle, tmp_path):
    image, labels = a_head()
    opening = {"bundle": str(tiny_bundle.folder), "device": "cpu", "session_folder": str(tmp_path)}
    with WorkerClient(WORKER) as client:
        before = prepare(client, a_volume(image), opening)
        found = list(rounds(client, labels, STRUCTURES))
    with WorkerClient(WORKER) as client:
        # The features of the worker before.
        assert prepare(client, a_volume(image), opening)["features"] < before["features"]
        found.append(from_scratch(client, labels, STRUCTURES))
    assert list(before) == ["start", "open", "features"]
    assert min(before.values()) > 0
    assert [one.name for one in found] == ["nine slices, from scratch", "a tenth, from there", "all ten, from scratch"]
    for one in found:
        assert sum(one.stages.values()) == pytest.approx(one.to_preview)
        # Nothing but what follows the features, which are at hand.
        assert {"training", "preview"} <= set(one.stages)
        assert "features" not in one.stages
        assert one.to_volume > 0
        assert one.markdown().count("|") == HEADER.splitlines()[0].count("|")


def test_a_folder_without_the_benchmarks_data_is_told_of(tmp_path, capsys):
    assert main(["benchmark", "preview", "--data", str(tmp_path)]) == 2
    assert "participants.tsv" in capsys.readouterr().err


def test_the_gain_is_that_of_the_preview_and_of_the_volume_after_it():
    said = gain(Round("cold", to_preview=8.0, to_volume=4.0), Round("warm", to_preview=2.0, to_volume=4.0))
    assert "4.0 times sooner" in said
    assert said.endswith("the volume 2.0.")
