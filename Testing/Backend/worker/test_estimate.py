import time

import numpy as np
import pytest

from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.worker.estimate import AFTER_FEATURES, BYTES_A_VOXEL, FIXED_BYTES, estimate

SHAPE = (48, 40, 36)


@pytest.fixture(scope="module")
def extracted(tiny_bundle):
    """The whole volume's activations, and the seconds they took."""
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, tiny_bundle.config.features)
    extractor.extract(np.zeros((1, *SHAPE), np.float32))
    start = time.perf_counter()
    views = extractor.extract(np.zeros((1, *SHAPE), np.float32))
    return views, time.perf_counter() - start


@pytest.fixture(scope="module")
def estimated(tiny_bundle):
    return estimate(tiny_bundle, tiny_bundle.denoisers(), Grid(SHAPE, np.eye(4)))


def test_the_memory_is_that_of_the_features_and_of_the_scan(extracted, estimated):
    of_features = sum(level.numel() * level.element_size() for view in extracted[0] for level in view.levels.values())
    assert estimated.bytes == of_features + BYTES_A_VOXEL * 2 * np.prod(SHAPE) + FIXED_BYTES


def test_the_time_is_of_the_order_of_what_it_really_takes(extracted, estimated):
    assert 1 / 8 < estimated.seconds / (extracted[1] * (1 + AFTER_FEATURES)) < 8


def test_a_scan_of_coarse_voxels_is_estimated_on_the_grid_of_the_denoiser(tiny_bundle, estimated):
    coarse = Grid((24, 40, 36), np.diag([2.0, 1, 1, 1]))
    found = estimate(tiny_bundle, tiny_bundle.denoisers(), coarse)
    assert found.bytes == pytest.approx(estimated.bytes, rel=0.01)
