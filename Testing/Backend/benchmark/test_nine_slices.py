"""The protocol on small made-up people, with methods that are known to be right or wrong."""

import numpy as np
import pytest
from conftest import a_head
from oasis_phantoms import write_people

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.annotation import UNKNOWN
from DiffusionSegLib.benchmark.comparison import annotation_for, compare
from DiffusionSegLib.benchmark.nine_slices import settings_for

PEOPLE = {"sub-1": "train", "sub-2": "validation", "sub-3": "test", "sub-4": "test"}


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path, PEOPLE)


class Oracle:
    """Knows the phantom by heart, but for one structure that it never finds in other people."""

    def __init__(self):
        self.opened = []

    def open(self, volume):
        self.opened.append(volume.grid.shape)
        return volume.grid.shape

    def train(self, scan, annotation):
        assert annotation.grid.shape == scan
        return scan

    def predict(self, scan, trained):
        labels = a_head(scan)[1]
        return np.where((labels == 7) & (scan != trained), 0, labels)


def test_completion_and_transfer_are_scored_for_each_setting(people):
    rows = compare("oracle", Oracle(), people, ["9+background", "volume"], people.people("test"))
    assert [(row.setting, row.scan) for row in rows] == [
        ("9+background", "completion"),
        ("9+background", "transfer"),
        ("volume", "transfer"),
    ]
    assert rows[0].averages()["Avg"].dice == 1
    assert rows[1].structures()[3].dice == 1
    assert rows[1].structures()[7].dice == 0
    diagonals = [np.linalg.norm((30 + number, 28, 26)) for number in (2, 3)]
    assert rows[1].structures()[7].hd95_mm == pytest.approx(np.mean(diagonals))


def test_people_are_trained_on_in_turn_and_each_scan_is_opened_once(people):
    oracle = Oracle()
    rows = compare("oracle", oracle, people, ["9"], people.people("test"), train_on=["sub-1", "sub-3"])
    assert oracle.opened == [(30 + number, 28, 26) for number in (0, 2, 3)]
    assert [(row.trained_on, row.scan, len(row.people)) for row in rows] == [
        ("sub-1", "completion", 1),
        ("sub-3", "completion", 1),
        ("sub-1", "transfer", 2),
        # Who was trained on is nobody to transfer to.
        ("sub-3", "transfer", 1),
        ("2 in turn", "completion", 2),
        ("2 in turn", "transfer", 3),
    ]
    assert rows[-1].people == [*rows[2].people, *rows[3].people]


def test_whoever_is_trained_on_alone_is_not_segmented(people):
    rows = compare("oracle", Oracle(), people, ["9"], ["sub-1"], train_on=["sub-1"])
    assert [row.scan for row in rows] == ["completion"]


def test_a_person_who_is_not_there_is_told_of(people, capsys):
    arguments = ["--data", str(people.folder), "--methods", "forest", "--train-on", "sub-99"]
    assert main(["benchmark", "nine-slices", *arguments]) == 2
    assert "sub-99" in capsys.readouterr().err


def test_registration_is_left_out_where_it_has_nothing_to_carry(capsys):
    assert settings_for("syn", ["9", "volume"]) == ["volume"]
    assert "without 9" in capsys.readouterr().err
    assert settings_for("unet", ["9", "volume"]) == ["9", "volume"]


def test_what_is_no_structure_counts_as_background(people):
    _, reference = people.read("sub-3")
    assert set(np.unique(reference)) == {0, 3, 7}


def test_only_nine_alone_goes_without_the_background_region(people):
    volume, reference = people.read("sub-1")
    labels = people.structures()
    alone, with_background, whole = (
        annotation_for(setting, reference, volume.grid, labels) for setting in ("9", "9+background", "volume")
    )
    assert alone.labelmap[0, 0, 0] == UNKNOWN
    assert with_background.labelmap[0, 0, 0] == 0
    assert whole.known.all()
    assert alone.complete_slices == with_background.complete_slices


def test_a_folder_without_the_benchmarks_data_is_told_of(tmp_path, capsys):
    assert main(["benchmark", "nine-slices", "--data", str(tmp_path), "--methods", "forest"]) == 2
    assert "participants.tsv" in capsys.readouterr().err


def test_u_nets_are_pretrained_once_and_compared(tmp_path, capsys):
    write_people(tmp_path, {"sub-1": "train", "sub-2": "validation", "sub-3": "unlabelled"})
    few = ["--unet-steps", "1", "--pretraining-steps", "1", "--unet-weights", str(tmp_path / "unet.safetensors")]
    chosen = ["--methods", "unet", "unet-denoising", "--settings", "9", "--people", "validation", "--device", "cpu"]
    assert main(["benchmark", "nine-slices", "--data", str(tmp_path), *chosen, *few]) == 0
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in capsys.readouterr().out.splitlines()[2:6]]
    assert rows == [
        [method, "sub-1", "9", scan] for method in ("unet", "unet-denoising") for scan in ("completion", "transfer")
    ]
    assert (tmp_path / "unet.safetensors").exists()
