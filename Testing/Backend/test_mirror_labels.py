"""Which structures are each other's mirror image."""

import pytest

from DiffusionSegLib.labels import Label
from DiffusionSegLib.mirror_labels import mirrored_values


def labels(*names):
    return [Label(value, name, (1, 2, 3)) for value, name in enumerate(names, start=1)]


@pytest.mark.parametrize(
    "names",
    [
        ("Left Thalamus Proper", "Right Thalamus Proper"),
        ("thalamus_left", "thalamus_right"),
        ("Thalamus (right)", "Thalamus (LEFT)"),
        ("ctx-lh-precentral", "ctx-rh-precentral"),
        ("Putamen_L", "Putamen_R"),
        ("left-hand side of the pons", "right-hand side of the pons"),
    ],
)
def test_left_and_right_of_the_same_name_are_partners(names):
    assert mirrored_values(labels(*names)) == {1: 2, 2: 1}


def test_what_has_no_side_stays_what_it_is():
    assert mirrored_values(labels("Left eye", "Brain stem", "Right eye")) == {1: 3, 2: 2, 3: 1}


def test_sides_are_told_in_several_ways_at_once():
    names = ("Left-Hippocampus", "Right-Hippocampus", "ctx-lh-insula", "ctx-rh-insula", "Vertebra L1")
    assert mirrored_values(labels(*names)) == {1: 2, 2: 1, 3: 4, 4: 3, 5: 5}


def test_nothing_is_known_where_no_name_has_a_side():
    assert mirrored_values(labels("Thalamus", "Leftover", "Bright spot")) is None


def test_nothing_is_known_where_a_partner_is_missing():
    assert mirrored_values(labels("Left eye", "Right eye", "Left ear")) is None


def test_nothing_is_known_where_two_labels_have_the_same_name():
    assert mirrored_values(labels("Left eye", "Right eye", "Right eye")) is None
