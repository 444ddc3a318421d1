"""Slices on their own against the same slices of the whole prediction."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head, a_volume, an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.smoothing import Smoothing
from DiffusionSegLib.tile_classifier import TileClassifier

QUICK = EnsembleConfig(members=3, hidden=(24, 12), batch=64, steps=100)
AFFINES = {
    "as the model's": np.eye(4),
    "other order": an_affine(axis_orders()[29], (1.0, 1.0, 1.0)),
    "finer": an_affine(an_oblique_rotation(), (0.7, 0.6, 0.8)),
    "coarser": an_affine(axis_orders()[13], (0.8, 1.25, 2.5)),
}


def trained(bundle, affine, annotate=None):
    image, labels = a_head((40, 34, 30))
    volume = a_volume(image, affine)
    session = Session(SessionOptions(bundle=bundle, device="cpu", ensemble=QUICK))
    session.open(volume)
    if annotate is None:
        session.annotate(annotate_slices(labels, volume.grid, per_axis=2, stride=5, background=True))
    else:
        session.annotate(annotate(labels, volume.grid))
    session.train()
    return session


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_preview_is_the_same_slice_of_the_whole_prediction(tiny_bundle, affine):
    session = trained(tiny_bundle, affine)
    whole = session.predict()
    slices = [(axis, index) for axis, size in enumerate((40, 34, 30)) for index in (0, 1, size // 2, size - 1)]
    found = session.preview(slices)
    assert any(part.labelmap.any() for part in found)
    for (axis, index), part in zip(slices, found, strict=True):
        np.testing.assert_array_equal(part.labelmap, whole.labelmap.take(index, axis))
        np.testing.assert_allclose(part.uncertainty, whole.uncertainty.take(index, axis), atol=1e-5)


def test_a_preview_is_not_cleaned_up(tiny_bundle):
    session = trained(tiny_bundle, np.eye(4))
    segmenter = session._segmenter
    before = session.preview([(0, 20)])[0]
    cleaned = replace(segmenter, header=replace(segmenter.header, keep_largest=(3, 7)))
    np.testing.assert_array_equal(session.preview([(0, 20)], cleaned)[0].labelmap, before.labelmap)


def test_a_slice_outside_the_scan_is_told_of(tiny_bundle):
    session = trained(tiny_bundle, np.eye(4))
    for wrong in ((0, 40), (1, -1), (3, 0)):
        with pytest.raises(DiffusionSegError, match="outside"):
            session.preview([wrong])


def test_air_is_background_also_where_no_background_was_learnt(tiny_bundle):
    def structures_alone(labels, grid):
        return Annotation.from_painting(np.where(np.arange(30) % 2, labels, 0).astype(int), grid)

    session = trained(tiny_bundle, np.eye(4), structures_alone)
    image, _ = a_head((40, 34, 30))
    whole = session.predict()
    assert set(np.unique(whole.labelmap)) == {0, 3, 7}
    assert not whole.labelmap[~session.extract().tissue & (image == 0)].any()


@pytest.mark.parametrize(("part", "work"), [(TileClassifier, "_classified"), (Smoothing, "_as_annotated")])
def test_a_tile_that_does_not_fit_into_memory_is_halved(tiny_bundle, monkeypatch, part, work):
    session = trained(tiny_bundle, np.eye(4))
    expected = session.predict()
    whole = getattr(part, work)

    def limited(self, *given):
        box = next(one for one in given if isinstance(one, tuple))
        if np.prod([stop - start for start, stop in box]) > 700:
            raise torch.OutOfMemoryError("injected")
        return whole(self, *given)

    monkeypatch.setattr(part, work, limited)
    with pytest.warns(DiffusionSegWarning, match="memory"):
        found = session.predict()
    np.testing.assert_array_equal(found.labelmap, expected.labelmap)
    np.testing.assert_allclose(found.uncertainty, expected.uncertainty, atol=1e-5)
