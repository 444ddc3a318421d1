"""Which structures of several scans are the same, and in which values."""

import pytest

from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.common_structures import CommonStructures


def named(**values):
    return [Label(value, name.replace("_", " "), (1, 2, 3)) for name, value in values.items()]


def nameless(*values):
    return [Label.generic(value) for value in values]


def taken_in(*scans):
    """The common values of each scan's structures, and what is known at the end by value."""
    structures = CommonStructures()
    found = [structures.take_in(labels) for labels in scans]
    return found, {label.value: label.name for label in structures.labels}


def test_names_tell_whatever_the_values():
    found, known = taken_in(named(Caudate=1, Putamen=2), named(putamen=1, Caudate=7))
    assert found[1] == {1: 2, 7: 1}
    assert known == {1: "Caudate", 2: "Putamen"}


def test_a_value_that_another_structure_has_is_replaced_by_one_that_no_structure_of_the_scan_has():
    # 2 is free in the first scan, but a structure of the second one has it.
    found, known = taken_in(named(Putamen=1), [*named(Red_nucleus=1), *nameless(2)])
    assert found[1] == {1: 3, 2: 2}
    assert known == {1: "Putamen", 3: "Red nucleus", 2: "Label 2"}


def test_two_structures_of_a_scan_never_become_one():
    found, _ = taken_in(named(Putamen=1, Caudate=2), [*named(Caudate=1), *nameless(2)])
    assert found[1][1] == 2
    assert found[1][2] not in (1, 2)
    lesions = [Label(value, "Lesion", (1, 2, 3)) for value in (1, 2)]
    assert taken_in(lesions[:1], lesions)[0][1] == {1: 1, 2: 2}
    assert taken_in(lesions, lesions)[0][1] == {1: 1, 2: 2}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_a_structure_without_a_name_gets_that_of_another_scan_for_all_that_follow(order):
    scans = [nameless(1), named(Putamen=1), named(Putamen=5)]
    found, known = taken_in(*(scans[number] for number in order))
    assert known == {1: "Putamen"}
    assert all(set(values.values()) == {1} for values in found)


def test_a_value_that_was_only_free_tells_nothing():
    found, _ = taken_in(named(Putamen=1), named(Red_nucleus=1), nameless(2))
    assert found[1] == {1: 2}
    assert found[2] == {2: 3}
