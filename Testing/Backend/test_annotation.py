import numpy as np
import pytest

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label

GRID = Grid((6, 7, 8), np.eye(4))


def painted():
    labels = np.zeros(GRID.shape, int)
    labels[2, 2:4, 3] = 4
    labels[3, 3, 3] = 9
    return labels


def test_unpainted_voxels_are_unknown():
    annotation = Annotation.from_painting(painted(), GRID)
    assert np.count_nonzero(annotation.known) == 3
    assert annotation.classes == (4, 9)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.int16, np.uint64, float])
def test_unpainted_voxels_are_unknown_whatever_numbers_the_label_map_is_of(kind):
    annotation = Annotation.from_painting(painted().astype(kind), GRID)
    assert annotation.classes == (4, 9)


def test_unpainted_voxels_of_a_complete_slice_are_background():
    annotation = Annotation.from_painting(painted(), GRID, complete_slices=((2,), (), ()))
    assert (annotation.labelmap[2] != UNKNOWN).all()
    assert annotation.labelmap[3, 0, 0] == UNKNOWN
    assert annotation.classes == (0, 4, 9)


def test_voxels_outside_the_box_are_background_and_those_inside_stay_unknown():
    annotation = Annotation.from_painting(painted(), GRID, background_box=((1, 5), (1, 6), (2, 6)))
    assert annotation.labelmap[0, 3, 3] == 0
    assert annotation.labelmap[4, 5, 5] == UNKNOWN
    assert annotation.labelmap[5, 3, 3] == 0


def test_labels_keep_the_names_that_were_given_and_others_get_one():
    given = Label(9, "Putamen", (1, 2, 3))
    annotation = Annotation.from_painting(painted(), GRID, labels=[given])
    assert [label.name for label in annotation.labels] == ["Label 4", "Putamen"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"complete_slices": ((6,), (), ())}, "complete slice i = 6"),
        ({"complete_slices": ((), (), (-1,))}, "complete slice k = -1"),
        ({"background_box": ((4, 2), (0, 7), (0, 8))}, "background box"),
        ({"background_box": ((0, 6), (0, 7), (0, 9))}, "background box"),
    ],
)
def test_slices_and_boxes_outside_the_scan_are_refused(change, words):
    with pytest.raises(DiffusionSegError, match=words):
        Annotation.from_painting(painted(), GRID, **change)


def test_an_empty_label_map_is_refused():
    with pytest.raises(DiffusionSegError, match="empty"):
        Annotation.from_painting(np.zeros(GRID.shape, int), GRID)


def test_one_class_alone_cannot_be_learnt():
    only = np.where(painted() == 4, 4, 0)
    with pytest.raises(DiffusionSegError, match="one class"):
        Annotation.from_painting(only, GRID).check_learnable()
    Annotation.from_painting(only, GRID, complete_slices=((2,), (), ())).check_learnable()


def test_an_annotation_of_another_scan_is_refused():
    annotation = Annotation.from_painting(painted(), GRID)
    with pytest.raises(DiffusionSegError, match="another grid"):
        annotation.check_on(Grid(GRID.shape, np.diag([1, 1, 1.1, 1])))


def test_the_unknown_region_is_the_box_around_what_nobody_has_told():
    annotation = Annotation.from_painting(
        painted(), GRID, complete_slices=((1,), (), ()), background_box=((1, 5), (1, 6), (2, 6))
    )
    assert annotation.unknown_region == ((2, 5), (1, 6), (2, 6))


def test_the_unknown_region_is_empty_where_all_is_known():
    everything = Annotation.from_painting(painted(), GRID, complete_slices=(tuple(range(6)), (), ()))
    assert everything.unknown_region == ((0, 0), (0, 0), (0, 0))


def test_values_that_results_cannot_hold_are_refused():
    large = painted()
    large[large == 9] = 65_536
    with pytest.raises(DiffusionSegError, match="65535"):
        Annotation.from_painting(large, GRID)


def test_structures_outside_the_background_box_are_told_by_name():
    with pytest.warns(DiffusionSegWarning, match="painted as Putamen lies outside"):
        Annotation.from_painting(
            painted(), GRID, background_box=((0, 3), (0, 7), (0, 8)), labels=[Label(9, "Putamen", (1, 2, 3))]
        )


def test_a_background_box_around_all_structures_is_taken_without_a_word(recwarn):
    Annotation.from_painting(painted(), GRID, background_box=((2, 4), (2, 4), (3, 4)))
    assert not recwarn.list
