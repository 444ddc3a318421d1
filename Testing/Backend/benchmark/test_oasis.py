"""The real people of the benchmark; skipped where their scans are absent."""

import numpy as np
import pytest

from DiffusionSegLib.benchmark.comparison import annotation_for
from DiffusionSegLib.benchmark.oasis import OasisFolder


@pytest.fixture
def people(data_folder):
    return OasisFolder(data_folder / "oasis")


def test_there_are_27_structures_and_nobody_is_in_two_splits(people):
    assert len(people.structures()) == 27
    splits = [people.people(split) for split in ("train", "validation", "test")]
    assert [len(split) for split in splits] == [1, 1, 6]
    assert len({person for split in splits for person in split}) == 8


def test_nine_slices_and_background_leave_only_the_box_between_them_unknown(people):
    volume, reference = people.read("sub-1000")
    annotation = annotation_for("9+background", reference, volume.grid, people.structures())
    assert [len(indices) for indices in annotation.complete_slices] == [3, 3, 3]
    assert {index - indices[1] for indices in annotation.complete_slices for index in indices} == {-10, 0, 10}
    box = np.zeros(reference.shape, bool)
    box[tuple(slice(low, high) for low, high in annotation.background_box)] = True
    assert annotation.known[~box].all()
    assert not (reference > 0)[~box].any()
    np.testing.assert_array_equal(annotation.labelmap[annotation.known], reference[annotation.known])
