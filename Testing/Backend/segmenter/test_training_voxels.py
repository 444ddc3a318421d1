"""Which annotated voxels a segmenter learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head, a_volume
from scipy.ndimage import distance_transform_edt

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.labels import Label
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.training_voxels import NEAR_VOXELS, gather_training_voxels
from DiffusionSegLib.session import Session, SessionOptions

FEW = EnsembleConfig(voxels_per_class=900, far_voxels=70, far_share=0.0)


@pytest.fixture(scope="module")
def gather(tiny_bundle):
    """Gathers a head of which every voxel is annotated: also the features, and where the structure is."""
    image, labels = a_head((64, 40, 36))
    labels[labels == 7] = 0
    volume = a_volume(image)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(volume)
    features = session.extract()
    grid = ModelGrid.for_grid(volume.grid, 1.0)
    annotation = Annotation(labels, volume.grid, (Label.generic(3),))
    ends = np.add(features.origin, features.tissue.shape)
    cropped = tuple(slice(*edges) for edges in zip(features.origin, ends, strict=True))
    return lambda config: (
        gather_training_voxels(features, annotation, grid, config, 0),
        features,
        labels[cropped] == 3,
    )


def test_structures_and_the_background_near_and_far_are_limited_each_by_itself(gather):
    voxels, _, structure = gather(FEW)
    distance = distance_transform_edt(~structure)[tuple(voxels.points.numpy().T)]
    assert (distance == 0).sum() == 900
    assert ((distance > 0) & (distance <= NEAR_VOXELS)).sum() == 900
    assert (distance > NEAR_VOXELS).sum() == 70
    assert ((voxels.classes.numpy() == 1) == (distance == 0)).all()


@pytest.mark.parametrize(("far_share", "expected"), [(0.05, 70), (0.2, 180)])
def test_the_more_background_near_structures_the_more_is_kept_of_that_far_away(gather, far_share, expected):
    voxels, _, structure = gather(replace(FEW, far_share=far_share))
    assert (distance_transform_edt(~structure)[tuple(voxels.points.numpy().T)] > NEAR_VOXELS).sum() == expected


def test_each_row_holds_the_features_of_its_voxel(gather):
    voxels, features, _ = gather(FEW)
    assert voxels.activations == features.view_channels
    np.testing.assert_allclose(voxels.features.float(), features.at(voxels.points), atol=0.02)


def annotated(volume, labels, per_axis):
    return annotate_slices(labels, volume.grid, per_axis=per_axis, stride=4, background=True)


def test_after_one_more_slice_only_new_voxels_are_gathered(tiny_bundle, monkeypatch):
    image, labels = a_head()
    volume = a_volume(image)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(volume)
    features, grid, config = (
        session.extract(),
        ModelGrid.for_grid(volume.grid, 1.0),
        EnsembleConfig(far_voxels=500, far_share=0.0),
    )
    before = gather_training_voxels(features, annotated(volume, labels, 2), grid, config, 0)
    asked = []
    at = type(features).at
    monkeypatch.setattr(type(features), "at", lambda self, points: asked.append(points) or at(self, points))
    after = gather_training_voxels(features, annotated(volume, labels, 3), grid, config, 0, known=before)
    new = {tuple(point) for point in torch.cat(asked).tolist()}
    asked.clear()
    fresh = gather_training_voxels(features, annotated(volume, labels, 3), grid, config, 0)
    torch.testing.assert_close(after.features, fresh.features, rtol=0, atol=0)
    torch.testing.assert_close(after.points, fresh.points, rtol=0, atol=0)
    every = {tuple(point) for point in fresh.points.tolist()}
    assert new == every - {tuple(point) for point in before.points.tolist()}
    assert 0 < len(new) < 0.6 * len(every)


def test_the_same_annotation_again_needs_no_gathering(tiny_bundle, monkeypatch):
    image, labels = a_head()
    volume = a_volume(image)
    ensemble = EnsembleConfig(members=2, hidden=(8, 4), steps=20, check_every=10)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=ensemble))
    session.open(volume)
    session.annotate(annotated(volume, labels, 2))
    first = session.train()
    monkeypatch.setattr(type(session.extract()), "at", None)
    again = session.train()
    torch.testing.assert_close(again.ensemble.weights[0], first.ensemble.weights[0], rtol=0, atol=0)


def test_what_was_gathered_from_another_scan_is_not_taken(tiny_bundle):
    image, labels = a_head()
    ensemble = EnsembleConfig(members=2, hidden=(8, 4), steps=20, check_every=10)
    found = []
    for scans in ((image[::-1].copy(), image), (image,)):
        session = Session(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=ensemble))
        for scan in scans:
            session.open(a_volume(scan))
            session.annotate(annotated(a_volume(scan), labels, 2))
            found.append(session.train().ensemble.weights[0])
    torch.testing.assert_close(found[1], found[2], rtol=0, atol=0)


@pytest.mark.parametrize("start", range(4))
def test_a_structure_thinner_than_the_models_voxels_is_learnt_wherever_it_lies(tiny_bundle, start):
    image, labels = (np.kron(array, np.ones((2, 2, 2), array.dtype)) for array in a_head((40, 36, 32)))
    volume = a_volume(image, np.diag([0.4, 0.4, 0.4, 1.0]))
    painted = np.zeros_like(labels)
    painted[:, :, 32] = labels[:, :, 32]
    painted[40 + start, 25:45, 32] = 9
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(volume)
    annotation = Annotation.from_painting(painted, volume.grid, complete_slices=((), (), (32,)))
    grid = ModelGrid.for_grid(volume.grid, 1.0)
    voxels = gather_training_voxels(session.extract(), annotation, grid, FEW, 0)
    nerve = annotation.classes.index(9)
    assert 8 <= (voxels.classes == nerve).sum() <= 9
