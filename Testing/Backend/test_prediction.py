"""Parts of a scan against the whole of it."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import a_head, a_volume, an_affine, an_oblique_rotation, axis_orders
from scipy import ndimage

from DiffusionSegLib import prediction
from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.prediction import predict
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.smoothing import Smoothing
from DiffusionSegLib.tile_classifier import TileClassifier

QUICK = EnsembleConfig(members=3, hidden=(24, 12), batch=64, steps=100)
SHAPE = (40, 34, 30)
REGION = ((11, 23), (0, 15), (14, 30))
AFFINES = {
    "as the model's": np.eye(4),
    "other order": an_affine(axis_orders()[29], (1.0, 1.0, 1.0)),
    "finer": an_affine(an_oblique_rotation(), (0.7, 0.6, 0.8)),
    "coarser": an_affine(axis_orders()[13], (0.8, 1.25, 2.5)),
}


def trained(bundle, affine=None):
    image, labels = a_head(SHAPE)
    volume = a_volume(image, affine)
    session = Session(SessionOptions(bundle=bundle, device="cpu", ensemble=QUICK))
    session.open(volume)
    session.annotate(annotate_slices(labels, volume.grid, per_axis=2, stride=5, background=True))
    return session, session.train()


def smoothing_of(session, segmenter, annotation=None):
    return Smoothing(session.features, session._model_grid(), segmenter.header.values, annotation)


@pytest.mark.parametrize("smoothed", [False, True])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_region_is_predicted_as_in_the_whole_scan_and_all_else_is_background(tiny_bundle, affine, smoothed):
    session, segmenter = trained(tiny_bundle, affine)
    smoothing = smoothing_of(session, segmenter) if smoothed else None
    whole = predict(session.features, segmenter, session._model_grid(), smoothing=smoothing)
    part = predict(session.features, segmenter, session._model_grid(), region=REGION, smoothing=smoothing)
    inside = tuple(slice(*edges) for edges in REGION)
    outside = np.ones(SHAPE, bool)
    outside[inside] = False
    assert whole.labelmap[inside].any()
    assert whole.labelmap[outside].any()
    np.testing.assert_array_equal(part.labelmap[inside], whole.labelmap[inside])
    np.testing.assert_allclose(part.uncertainty[inside], whole.uncertainty[inside], atol=1e-5)
    assert not part.labelmap[outside].any()
    assert not part.uncertainty[outside].any()
    assert (part.confidence[outside] == 255).all()


@pytest.mark.parametrize("edge", [8, 16, 48])
def test_tiles_of_any_size_are_smoothed_alike(tiny_bundle, edge, monkeypatch):
    session, _ = trained(tiny_bundle)
    expected = session.predict()
    monkeypatch.setitem(prediction.TILE, "cpu", edge)
    found = session.predict()
    np.testing.assert_array_equal(found.labelmap, expected.labelmap)
    np.testing.assert_allclose(found.confidence.astype(int), expected.confidence, atol=1)


def test_smoothed_labels_are_less_ragged_and_no_air_becomes_tissue(tiny_bundle):
    session, segmenter = trained(tiny_bundle)
    smooth, rough = (
        predict(session.features, segmenter, session._model_grid(), smoothing=smoothing)
        for smoothing in (smoothing_of(session, segmenter), None)
    )
    faces = [sum((np.diff(found.labelmap, axis=axis) != 0).sum() for axis in range(3)) for found in (smooth, rough)]
    assert faces[0] < faces[1]
    np.testing.assert_allclose(smooth.uncertainty, rough.uncertainty, atol=1e-5)
    air = np.ones(SHAPE, bool)
    crop = tuple(
        slice(first, first + size)
        for first, size in zip(session.features.origin, session.features.tissue.shape, strict=True)
    )
    air[crop] = ~session.features.tissue
    assert air.any()
    assert not smooth.labelmap[air].any()


def test_without_intensities_among_the_features_nothing_is_smoothed(tiny_bundle):
    features = replace(tiny_bundle.config.features, intensity_sigmas_mm=(1.0,))
    bundle = replace(tiny_bundle, config=replace(tiny_bundle.config, features=features))
    session, segmenter = trained(bundle)
    smooth, rough = (
        predict(session.features, segmenter, session._model_grid(), smoothing=smoothing)
        for smoothing in (smoothing_of(session, segmenter), None)
    )
    np.testing.assert_array_equal(smooth.confidence, rough.confidence)


def test_votes_of_three_members_make_a_label_a_third_two_thirds_or_quite_as_sure(tiny_bundle):
    session, segmenter = trained(tiny_bundle)
    voting = replace(segmenter, header=replace(segmenter.header, combine="vote"))
    mean, vote = (predict(session.features, one, session._model_grid()) for one in (segmenter, voting))
    assert set(np.unique(vote.confidence)) <= {85, 170, 255}
    assert len(np.unique(mean.confidence)) > 3
    np.testing.assert_array_equal(vote.uncertainty, mean.uncertainty)
    sure = vote.confidence == 255
    np.testing.assert_array_equal(vote.labelmap[sure], mean.labelmap[sure])
    assert (vote.labelmap != mean.labelmap).any()


def test_nothing_is_computed_where_all_is_known(tiny_bundle, monkeypatch):
    session, segmenter = trained(tiny_bundle)
    monkeypatch.setattr(TileClassifier, "_classified", None)
    found = predict(session.features, segmenter, session._model_grid(), region=((0, 0), (0, 0), (0, 0)))
    assert not found.labelmap.any()


def test_background_that_is_annotated_is_not_computed(tiny_bundle, monkeypatch):
    session, segmenter = trained(tiny_bundle)
    boxes, classify = [], TileClassifier._classified
    monkeypatch.setattr(TileClassifier, "_classified", lambda self, box: [boxes.append(box), classify(self, box)][1])
    found = session.predict()
    computed = np.zeros(session.features.tissue.shape, bool)
    for box in boxes:
        computed[tuple(slice(*edges) for edges in box)] = True
    low = session.features.origin
    region = tuple(
        slice(max(start - first, 0), stop - first)
        for (start, stop), first in zip(session._annotation.background_box, low, strict=True)
    )
    needed = np.zeros_like(computed)
    needed[region] = True
    # Smoothing looks at the next voxel.
    assert not computed[~ndimage.binary_dilation(needed, np.ones((3, 3, 3)))].any()
    # What is left out is known already.
    smoothing = smoothing_of(session, segmenter, session._annotation)
    whole = predict(session.features, segmenter, session._model_grid(), smoothing=smoothing)
    np.testing.assert_array_equal(found.labelmap, session._annotation.over(whole.labelmap))


def test_voxels_beside_annotated_ones_are_found_as_without_any_only_where_these_tell_nothing(tiny_bundle):
    session, _ = trained(tiny_bundle)
    annotation, told = session._annotation, session.predict()
    session.options = replace(session.options, annotated_neighbours=False)
    alone = session.predict()
    session.annotate(None)
    expected = annotation.over(session.predict().labelmap)
    np.testing.assert_array_equal(alone.labelmap, expected)
    assert (told.labelmap != expected).any()


def test_pieces_that_annotated_slices_join_are_one_piece(tiny_bundle):
    shape = (40, 36, 32)
    u_shaped = np.zeros(shape, np.int32)
    u_shaped[8:13, 12:20, :26] = u_shaped[26:31, 12:20, :22] = u_shaped[8:31, 12:20, :3] = 1
    image = np.where(u_shaped, 700, 300) + np.random.default_rng(0).normal(0, 5, shape)
    volume = a_volume(image.astype(np.float32))
    complete = ((), (), (0, 1, 2, 10, 15, 29))
    painted = np.zeros_like(u_shaped)
    painted[:, :, complete[2]] = u_shaped[:, :, complete[2]]
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=QUICK, keep_largest=(1,)))
    session.open(volume)
    session.annotate(Annotation.from_painting(painted, volume.grid, complete_slices=complete))
    session.train()
    found = session.predict().labelmap == 1
    for arm in (slice(8, 13), slice(26, 31)):
        assert found[arm].sum() > 0.8 * (u_shaped[arm] == 1).sum()
