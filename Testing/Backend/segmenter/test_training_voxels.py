"""Which annotated voxels a segmenter learns from."""

import numpy as np
import pytest
from conftest import a_head, a_volume

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.labels import Label
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.training_voxels import NEAR_VOXELS, gather_training_voxels
from DiffusionSegLib.session import Session, SessionOptions


@pytest.fixture(scope="module")
def gathered(tiny_bundle):
    """The limits asked for, and what is gathered of a head of which every voxel is annotated."""
    image, labels = a_head((64, 40, 36))
    labels[labels == 7] = 0
    volume = a_volume(image)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(volume)
    features = session.extract()
    grid = ModelGrid.for_grid(volume.grid, 1.0)
    config = EnsembleConfig(voxels_per_class=900, far_voxels=70)
    annotation = Annotation(labels, volume.grid, (Label.generic(3),))
    return gather_training_voxels(features, annotation, grid, config, 0), features


def test_structures_and_the_background_near_and_far_are_limited_each_by_itself(gathered):
    voxels, _ = gathered
    points, structure = voxels.points.numpy(), voxels.classes.numpy() == 1
    low, high = points[structure].min(0) - NEAR_VOXELS, points[structure].max(0) + NEAR_VOXELS
    near = ((points >= low - 2) & (points <= high + 2)).all(1) & ~structure
    assert structure.sum() == 900
    assert 900 <= near.sum() <= 970
    assert (~structure).sum() == 970


def test_each_row_holds_the_features_of_its_voxel(gathered):
    voxels, features = gathered
    assert voxels.activations == features.view_channels
    np.testing.assert_allclose(voxels.features.float(), features.at(voxels.points), atol=0.02)
