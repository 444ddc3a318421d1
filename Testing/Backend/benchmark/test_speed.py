"""The speed benchmark on a small phantom: figures under any load, so only their presence and sign are held to."""

import json

import pytest

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark.speed import command
from DiffusionSegLib.benchmark.speed.slicer_effects import SlicerAbsentError

RATIOS = (
    "prediction_speedup_vs_published",
    "prediction_memory_ratio_vs_published",
    "prediction_speedup_with_published_features",
    "prediction_memory_ratio_with_published_features",
    "training_speedup_vs_sequential",
    "training_speedup_with_published_features",
    "feature_share_of_conv_rate",
    "max_logit_difference",
)


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setattr(command, "TRAINING_STEPS", 6)


def test_one_run_writes_all_figures_and_says_what_they_mean(few_steps, tiny_bundle, tmp_path, capsys):
    file, picture = tmp_path / "speed.json", tmp_path / "speed.png"
    arguments = ["--bundle", str(tiny_bundle.folder), "--device", "cpu", "--size", "20"]
    arguments += ["--json", str(file), "--plot", str(picture)]
    assert main(["benchmark", "speed", *arguments]) == 0
    found = json.loads(file.read_text())
    assert found["device"] == "cpu"
    for name in RATIOS:
        assert found[name] > 0, name
    assert found["max_logit_difference"] < 1e-4
    assert found["max_logit_difference_with_published_features"] < 1e-4
    assert found["equal_labels"] >= 0.9999
    assert found["measured"]["shape"] == [20, 20, 20]
    for stage in found["measured"]["rooflines"].values():
        assert stage["by_bytes"] > 0
        assert stage["seconds"] > 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    printed = capsys.readouterr().out
    for line in ("| prediction |", "| random forest |", "| Slicer, grow from seeds |", "| labels |", "| members |"):
        assert line in printed


def test_without_a_file_the_object_alone_goes_to_standard_output(few_steps, tiny_bundle, monkeypatch, capsys):
    def absent(*_):
        raise SlicerAbsentError("slicer-core is not installed")

    for effect in ("grow_cut", "fill_between_slices"):
        monkeypatch.setattr(f"DiffusionSegLib.benchmark.speed.other_methods.{effect}", absent)
    arguments = ["--bundle", str(tiny_bundle.folder), "--device", "cpu", "--size", "16", "--naive", "--json"]
    assert main(["benchmark", "speed", *arguments]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["measured"]["region"]["shape"] == found["measured"]["shape"]
    assert "not run: slicer-core is not installed" in captured.err
