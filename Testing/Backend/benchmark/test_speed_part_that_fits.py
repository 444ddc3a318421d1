"""How much of a scan the published way is timed on."""

import math

import pytest

from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.part_that_fits import largest_part, part_that_fits
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.features.feature_count import feature_count
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig

SCAN = SpeedScan.phantom(32, 1.0)
TISSUE_BOX = math.prod(end - start for start, end in bounding_box(SCAN.tissue))


@pytest.fixture
def ours(tiny_bundle):
    return OurPath(tiny_bundle, tiny_bundle.denoisers(), EnsembleConfig())


@pytest.fixture
def bytes_of_a_voxel(tiny_bundle):
    """Three copies of all features in single precision."""
    return 3 * 4 * feature_count(tiny_bundle.config.features, tiny_bundle.config.unet, channels=1)


def test_a_scan_that_fits_without_the_air_around_it_is_taken_as_a_whole(ours, bytes_of_a_voxel):
    assert largest_part(SCAN, ours, bytes_of_a_voxel * TISSUE_BOX).tissue.shape == (32, 32, 32)
    assert part_that_fits(SCAN, ours).tissue.shape == (32, 32, 32)


@pytest.mark.parametrize(("voxels", "edge"), [(TISSUE_BOX - 1, 24), (16**3, 16), (16**3 - 1, 8), (0, 8)])
def test_of_a_larger_one_a_cube_is_taken(ours, bytes_of_a_voxel, voxels, edge):
    assert largest_part(SCAN, ours, bytes_of_a_voxel * voxels).tissue.shape == (edge, edge, edge)
