"""The protocol on small made-up people, with methods that are known to be right or wrong."""

import numpy as np
import pytest
from conftest import a_head
from oasis_phantoms import write_people

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.annotation import UNKNOWN
from DiffusionSegLib.benchmark.nine_slices import annotation_for, compare

PEOPLE = {"sub-1": "train", "sub-2": "validation", "sub-3": "test", "sub-4": "test"}


@pytest.fixture
def people(tmp_path):
    return write_people(tmp_path, PEOPLE)


class Oracle:
    """Knows the phantom by heart, but for one structure that it never finds in other people."""

    def open(self, volume):
        self.labels = a_head(volume.grid.shape)[1]

    def train(self, annotation):
        self.trained_on = annotation.grid.shape
        return annotation.grid.shape

    def predict(self, trained):
        return np.where((self.labels == 7) & (self.labels.shape != trained), 0, self.labels)


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
