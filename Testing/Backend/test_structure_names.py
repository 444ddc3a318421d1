from DiffusionSegLib.labels import Label
from DiffusionSegLib.structure_names import plain, values_among

GREY = (128, 128, 128)


def test_capitals_and_spaces_are_no_matter_of_meaning():
    assert plain(" Left  Caudate ") == plain("left caudate")
    assert plain("Caudate 1") != plain("Caudate 2")


def test_names_tell_which_structures_are_the_same_whatever_their_values():
    known = [Label(1, "Caudate", GREY), Label(2, "Putamen", GREY)]
    painted = [Label(1, "putamen ", GREY), Label(2, "Thalamus", GREY), Label(5, "Caudate", GREY)]
    assert values_among(known, painted) == {1: 2, 5: 1}


def test_a_label_without_a_name_is_what_has_its_value():
    known = [Label(1, "Caudate", GREY), Label(2, "Putamen", GREY)]
    assert values_among(known, [Label.generic(2), Label.generic(3)]) == {2: 2}
    # A segmenter without names knows nothing of what is painted by name.
    assert values_among([Label.generic(1)], known) == {}


def test_two_labels_never_become_one():
    known = [Label(1, "Lesion", GREY)]
    assert values_among(known, [Label(2, "lesion", GREY), Label(1, "Lesion", GREY)]) == {1: 1}
    assert values_among(known, [Label(2, "lesion", GREY), Label(3, "Lesion", GREY)]) == {2: 1}


def test_of_several_with_the_same_name_the_value_tells():
    known = [Label(1, "Lesion", GREY), Label(2, "Lesion", GREY)]
    assert values_among(known, [Label(2, "Lesion", GREY), Label(3, "Lesion", GREY)]) == {2: 2}
