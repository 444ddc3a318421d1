import sys

import numpy as np
import pytest
from conftest import a_head, a_volume, an_affine

from DiffusionSegLib.benchmark.comparison import annotation_for
from DiffusionSegLib.benchmark.scores import mean_dice
from DiffusionSegLib.benchmark.syn_method import SynMethod
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

LABELS = (Label.generic(3), Label.generic(7))


def test_labels_are_carried_to_a_scan_that_is_larger_and_stored_in_another_order():
    pytest.importorskip("ants")
    image, labels = a_head((40, 36, 32))
    other, wanted = a_head((44, 40, 36))
    atlas = a_volume(image)
    # Front to back and right to left instead: nothing but the affine tells.
    stored = a_volume(np.ascontiguousarray(other[::-1, ::-1]), an_affine(np.diag([-1.0, -1.0, 1.0]), (1.0, 1.0, 1.0)))
    method = SynMethod()
    trained = method.train(method.open(atlas), annotation_for("volume", labels, atlas.grid, LABELS))
    found = method.predict(method.open(stored), trained)
    assert found.shape == wanted.shape
    assert mean_dice(found[::-1, ::-1], wanted) > 0.85


def test_few_slices_are_refused():
    pytest.importorskip("ants")
    image, labels = a_head((24, 24, 20))
    volume = a_volume(image)
    method = SynMethod()
    with pytest.raises(DiffusionSegError, match="whole label maps only"):
        method.train(method.open(volume), annotation_for("9", labels, volume.grid, LABELS))


def test_a_missing_package_is_told_of_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ants", None)
    with pytest.raises(DiffusionSegError, match=r"ANTsPy.*DiffusionSeg\[registration\]"):
        SynMethod()
