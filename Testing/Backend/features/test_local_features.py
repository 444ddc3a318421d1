"""What is known of a voxel without a denoiser."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import local_images, unfiltered

SHAPE = (9, 8, 7)
SCAN = np.random.default_rng(0).uniform(-1, 1, (2, *SHAPE)).astype(np.float32)
CONFIG = FeatureConfig(blocks=(0,), time_steps=(50,))


def kept(config: FeatureConfig) -> torch.Tensor:
    return local_images(SCAN, np.ones(SHAPE, bool), np.zeros((3, *SHAPE), np.float32), config, 1.0)


@pytest.mark.parametrize("coordinates", ["none", "box", "template"])
@pytest.mark.parametrize(("intensities", "edges"), [((0.0,), ()), ((1.0, 0.0, 2.0), (1.0, 2.0)), ((0.0, 2.0), (1.0,))])
def test_the_scans_own_intensities_are_found_among_all_that_is_kept(intensities, edges, coordinates):
    config = replace(CONFIG, intensity_sigmas_mm=intensities, edge_sigmas_mm=edges, coordinates=coordinates)
    np.testing.assert_allclose(unfiltered(kept(config), config), SCAN, atol=1e-3)


@pytest.mark.parametrize("intensities", [(), (1.0, 2.0)])
def test_where_they_are_no_features_there_are_none(intensities):
    config = replace(CONFIG, intensity_sigmas_mm=intensities, edge_sigmas_mm=(1.0,))
    assert unfiltered(kept(config), config).shape == (0, *SHAPE)
