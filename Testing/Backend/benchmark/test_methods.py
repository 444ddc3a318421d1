"""Our method as the benchmark drives it: several scans opened at once."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import a_head, a_volume

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.methods import DiffusionMethod
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import SessionOptions

QUICK = EnsembleConfig(members=2, hidden=(12, 8), batch=64, steps=100)


def a_scan(size):
    image, labels = a_head((size, 24, 20))
    volume = a_volume(image)
    annotation: Annotation = annotate_slices(labels, volume.grid, per_axis=3, stride=4, background=True)
    return volume, annotation


@pytest.fixture
def method(tiny_bundle):
    return DiffusionMethod(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=QUICK))


def test_what_one_person_painted_does_not_show_in_a_prediction_by_anothers_segmenter(method):
    (first, painted), (second, painted_too) = a_scan(28), a_scan(30)
    scan = method.open(first)
    trained = method.train(scan, painted)
    other = method.open(second)
    before = method.predict(other, trained)
    method.train(other, painted_too)
    np.testing.assert_array_equal(method.predict(other, trained), before)


def test_scans_that_were_opened_earlier_keep_their_features(method, monkeypatch):
    (first, painted), (second, painted_too) = a_scan(28), a_scan(30)
    scan, other = method.open(first), method.open(second)
    monkeypatch.setattr(method.session.denoisers, "activations", None)
    trained = method.train(scan, painted)
    assert method.predict(other, trained).shape == second.grid.shape
    assert method.predict(scan, method.train(other, painted_too)).shape == first.grid.shape


def test_the_annotated_scan_is_predicted_with_what_is_known_of_it_and_no_other(method):
    (first, painted), (second, _) = a_scan(28), a_scan(28)
    scan, other = method.open(first), method.open(second)
    trained = method.train(scan, painted)
    known = painted.known
    odd = replace(painted, labelmap=np.where(known, 7, painted.labelmap))
    found = method.predict(scan, replace(trained, annotation=odd))
    assert (found[known] == 7).all()
    elsewhere = method.predict(other, replace(trained, annotation=odd))
    assert (elsewhere[known] != 7).any()
