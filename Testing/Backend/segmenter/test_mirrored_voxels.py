"""Every annotated voxel once more, as it would be in the mirror."""

import pytest
import torch

from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import local_features, signs_in_a_mirror
from DiffusionSegLib.segmenter.mirrored_voxels import with_mirror_image
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

IN_TEMPLATE = FeatureConfig(coordinates="template")
VALUES, PARTNERS = (0, 4, 9, 35), {4: 9, 9: 4, 35: 35}
ACTIVATIONS, ROWS = 5, 40


@pytest.fixture
def voxels() -> TrainingVoxels:
    """Five activations, then what is made of two intensities and a position."""
    random = torch.Generator().manual_seed(0)
    beside = local_features(torch.randn(5, ROWS, generator=random), IN_TEMPLATE)
    features = torch.cat([torch.randn(ROWS, ACTIVATIONS, generator=random), beside], 1)
    points = torch.randint(30, (ROWS, 3), generator=random)
    return TrainingVoxels(features, torch.arange(ROWS) % 4, points, ACTIVATIONS)


def test_the_features_of_a_place_on_the_other_side_differ_by_signs():
    images = torch.randn(7, 30, generator=torch.Generator().manual_seed(0))
    opposite = images.clone()
    opposite[-3] *= -1
    here, there = (local_features(kept, IN_TEMPLATE) for kept in (images, opposite))
    signs = signs_in_a_mirror(here.shape[1], IN_TEMPLATE)
    assert set(signs.tolist()) == {-1, 1}
    torch.testing.assert_close(here * signs, there)


def test_without_positions_in_a_template_nothing_changes_its_sign():
    assert (signs_in_a_mirror(12, FeatureConfig(coordinates="box")) == 1).all()


def test_structures_become_their_partners_and_the_background_stays(voxels):
    both = with_mirror_image(voxels, VALUES, PARTNERS, IN_TEMPLATE)
    assert both.classes[:ROWS].tolist() == voxels.classes.tolist()
    assert both.classes[ROWS:].tolist() == [[0, 2, 1, 3][number] for number in voxels.classes.tolist()]


def test_only_the_side_changes(voxels):
    both = with_mirror_image(voxels, VALUES, PARTNERS, IN_TEMPLATE)
    torch.testing.assert_close(both.features[:ROWS], voxels.features, rtol=0, atol=0)
    changed = (both.features[ROWS:] != voxels.features).any(0)
    # The position to the right, and one sine for each of three wavelengths.
    assert changed.nonzero()[:, 0].tolist() == [7, 10, 16, 22]
    assert both.activations == ACTIVATIONS


def test_a_voxel_and_its_mirror_image_lie_at_the_same_point_so_that_both_are_held_out_or_none(voxels):
    both = with_mirror_image(voxels, VALUES, PARTNERS, IN_TEMPLATE)
    assert both.points[:ROWS].tolist() == both.points[ROWS:].tolist() == voxels.points.tolist()
