"""What several annotated scans teach together."""

import warnings
from dataclasses import replace

import pytest
import torch

from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.lesson import Lesson, together
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

GREY = (128, 128, 128)
PUTAMEN, CAUDATE = Label(1, "Putamen", GREY), Label(2, "Caudate", GREY)


def a_lesson(labels, *, background=True, number=0.0, within_part=False, digest="bundle"):
    """Of two voxels of each class, whose features are `number`."""
    values = tuple(sorted({0} if background else set())) + tuple(sorted(label.value for label in labels))
    classes = torch.arange(len(values)).repeat(2)
    features = torch.full((len(classes), 3), number, dtype=torch.float16)
    points = torch.arange(len(classes))[:, None].repeat(1, 3)
    return Lesson(
        TrainingVoxels(features, classes, points, 2), values, tuple(labels), FeatureConfig(), digest, within_part
    )


def found_of(lesson, number):
    """The value of each voxel of the scan whose features are that number."""
    of_scan = lesson.voxels.features[:, 0] == number
    return [lesson.values[index] for index in lesson.voxels.classes[of_scan].tolist()]


def test_a_single_scan_teaches_what_it_does():
    lesson = a_lesson([PUTAMEN])
    assert together([lesson]) is lesson


def test_the_same_structures_of_several_scans_are_learnt_as_one():
    found = together([a_lesson([PUTAMEN, CAUDATE]), a_lesson([PUTAMEN, CAUDATE], number=1)])
    assert (found.values, found.labels) == ((0, 1, 2), (PUTAMEN, CAUDATE))
    assert found_of(found, 0) == found_of(found, 1) == [0, 1, 2, 0, 1, 2]
    assert (found.voxels.features.dtype, found.voxels.activations) == (torch.float16, 2)


def test_names_tell_which_structures_are_the_same_and_the_first_scans_values_stay():
    other = [Label(1, "caudate", GREY), Label(7, "PUTAMEN", GREY)]
    found = together([a_lesson([PUTAMEN, CAUDATE]), a_lesson(other, number=1)])
    assert found.labels == (PUTAMEN, CAUDATE)
    assert found_of(found, 1)[:3] == [0, 2, 1]


def test_spaces_make_no_other_structure_of_a_name():
    found = together([a_lesson([PUTAMEN]), a_lesson([Label(2, " Putamen ", GREY)], number=1)])
    assert found.labels == (PUTAMEN,)
    assert found_of(found, 1) == [0, 1, 0, 1]


def test_names_that_nobody_gave_are_told_where_they_make_structures_the_same():
    first, other = Label(1, "Segment_1", GREY), Label(2, "Segment_1", GREY)
    with pytest.warns(DiffusionSegWarning, match="as it is called so in each: Segment_1"):
        together([a_lesson([first, CAUDATE]), a_lesson([other, Label(3, "Caudate", GREY)], number=1)])


def test_nothing_is_told_of_structures_that_no_scan_shows():
    first, second = (replace(a_lesson([PUTAMEN], number=number), labels=(PUTAMEN, CAUDATE)) for number in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert together([first, second]).values == (0, 1)


@pytest.mark.parametrize("nameless_first", [False, True])
def test_without_a_name_the_value_tells(nameless_first):
    lessons = [a_lesson([CAUDATE]), a_lesson([Label.generic(2)], number=1)]
    found = together(lessons[::-1] if nameless_first else lessons)
    assert found.values == (0, 2)
    assert found_of(found, 0) == found_of(found, 1) == [0, 2, 0, 2]


def test_structures_of_one_scan_that_share_a_name_stay_apart():
    twins = [Label(1, "Lesion", GREY), Label(2, "Lesion", GREY)]
    found = together([a_lesson(twins), a_lesson(twins, number=1)])
    assert found.labels == tuple(twins)
    assert found_of(found, 0)[:3] == found_of(found, 1)[:3] == [0, 1, 2]


def test_a_structure_that_the_first_scan_does_not_have_gets_a_value_that_is_free_and_this_is_told():
    nucleus, ventricle = Label(1, "Red nucleus", GREY), Label(5, "Ventricle", GREY)
    with pytest.warns(DiffusionSegWarning, match="Not painted in all of the scans: Putamen, Red nucleus, Ventricle"):
        found = together([a_lesson([PUTAMEN]), a_lesson([nucleus, ventricle], number=1)])
    named = {label.name: label.value for label in found.labels}
    assert named["Putamen"] == 1
    assert named["Ventricle"] == 5
    assert named["Red nucleus"] not in (0, 1)
    assert found_of(found, 1)[:3] == [0, named["Red nucleus"], 5]
    assert len(set(named.values())) == 3


def test_where_nothing_is_background_a_structure_may_be_missing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = together([a_lesson([PUTAMEN], background=False), a_lesson([CAUDATE], background=False, number=1)])
    assert found.values == (1, 2)
    assert found_of(found, 1) == [2, 2]


def test_voxels_of_different_scans_never_share_a_place():
    found = together([a_lesson([PUTAMEN]), a_lesson([PUTAMEN], number=1), a_lesson([PUTAMEN], number=2)])
    blocks = [set(map(tuple, (found.voxels.points[4 * k : 4 * k + 4] // 8).tolist())) for k in range(3)]
    assert not blocks[0] & blocks[1]
    assert not blocks[1] & blocks[2]
    assert not blocks[0] & blocks[2]


@pytest.mark.parametrize(("first", "second", "expected"), [(True, True, True), (True, False, False)])
def test_structures_lie_within_the_part_if_they_do_in_all_scans(first, second, expected):
    found = together([a_lesson([PUTAMEN], within_part=first), a_lesson([PUTAMEN], within_part=second)])
    assert found.within_part is expected


def test_features_of_another_bundle_are_refused():
    with pytest.raises(DiffusionSegError, match="another model bundle"):
        together([a_lesson([PUTAMEN]), a_lesson([PUTAMEN], digest="other")])
