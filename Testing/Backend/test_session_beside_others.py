"""Learning from several painted scans."""

import numpy as np
import pytest
import torch
from conftest import a_head, a_volume
from quick_session import nine_slices, options

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.labels import Label
from DiffusionSegLib.session import Session


def taken_up(session, image, labels):
    """A scan, opened and painted on nine slices."""
    volume = a_volume(image)
    session.open(volume)
    session.annotate(nine_slices(labels, volume.grid))


@pytest.fixture
def two_heads():
    """Image and labels of two heads: the first has the structure 3 alone, the other one both, and lies elsewhere."""
    image, labels = a_head()
    bright = image.copy()
    bright[labels == 7] = 700
    return (bright, np.where(labels == 7, 0, labels)), (np.roll(image, 2, axis=1), np.roll(labels, 2, axis=1))


def dice(found, reference, value):
    return 2 * ((found == value) & (reference == value)).sum() / ((found == value).sum() + (reference == value).sum())


def test_what_only_another_scan_shows_is_learnt_from_that(tiny_bundle, two_heads):
    (image, labels), other = two_heads
    session = Session(options(tiny_bundle))
    taken_up(session, *other)
    lesson = session.lesson()
    taken_up(session, image, labels)
    with pytest.warns(DiffusionSegWarning, match="Not painted in all of the scans: Label 7"):
        segmenter = session.train(beside=[lesson])
    assert segmenter.header.values == (0, 3, 7)
    assert session.report.voxels_trained == len(lesson.voxels.classes) + len(session.lesson().voxels.classes)
    assert dice(session.predict().labelmap, labels, 3) > 0.85
    session.open(a_volume(other[0]))
    found = session.predict(segmenter).labelmap
    assert dice(found, other[1], 7) > 0.8
    assert dice(found, other[1], 3) > 0.8


def test_training_goes_on_beside_the_same_scans(tiny_bundle, two_heads):
    session = Session(options(tiny_bundle))
    taken_up(session, *two_heads[1])
    lesson = session.lesson()
    taken_up(session, *two_heads[1])
    first = session.train(beside=[lesson])
    again = session.train(start=first, beside=[lesson])
    cold = session.train(beside=[lesson])
    weights = [segmenter.ensemble.weights[1] for segmenter in (first, again, cold)]
    torch.testing.assert_close(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[1])


def test_a_single_stroke_can_be_learnt_beside_another_scan(tiny_bundle, two_heads):
    (image, labels), other = two_heads
    session = Session(options(tiny_bundle))
    taken_up(session, *other)
    lesson = session.lesson()
    volume = a_volume(image)
    session.open(volume)
    stroke = np.zeros_like(labels)
    stroke[:, :, 16] = labels[:, :, 16]
    session.annotate(Annotation.from_painting(stroke, volume.grid))
    with pytest.raises(DiffusionSegError, match="one class only"):
        session.train()
    session.train(beside=[lesson])
    assert dice(session.predict().labelmap, labels, 3) > 0.85


@pytest.mark.filterwarnings("ignore::DiffusionSegLib.errors.DiffusionSegWarning")
def test_training_does_not_go_on_from_what_its_own_names_say_of_another_scans_structures(tiny_bundle, two_heads):
    session = Session(options(tiny_bundle))
    taken_up(session, *two_heads[1])
    lesson = session.lesson()
    taken_up(session, *two_heads[0])
    first = session.train(beside=[lesson])
    again = session.train(start=first, beside=[lesson], learnt_as=[Label(7, "Erased since", (1, 2, 3))])
    warm = session.train(start=first, beside=[lesson])
    torch.testing.assert_close(again.ensemble.weights[1], warm.ensemble.weights[1])


def test_a_scan_that_is_not_painted_has_nothing_to_teach(tiny_bundle, two_heads):
    session = Session(options(tiny_bundle))
    session.open(a_volume(two_heads[0][0]))
    with pytest.raises(DiffusionSegError, match="Nothing is annotated yet"):
        session.lesson()
