import numpy as np

from DiffusionSegLib.body import body_mask

SHAPE = (48, 40, 12)
PLACES = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij"))


def a_chest(noise=0.0):
    """Two lungs that are cut by the scan's ends, in a chest above a couch: Hounsfield units, chest and couch."""
    chest = (PLACES[0] / 0.8) ** 2 + ((PLACES[1] - 0.2) / 0.6) ** 2 < 1
    lungs = ((np.abs(PLACES[0]) - 0.35) / 0.25) ** 2 + ((PLACES[1] - 0.2) / 0.35) ** 2 < 1
    couch = PLACES[1] < -0.8
    image = np.select([lungs, chest, couch], [-850.0, 40.0, 100.0], -1000.0)
    return image + np.random.default_rng(0).normal(0, noise, SHAPE), chest, couch


def test_the_body_is_what_is_dense_with_the_lungs_within_it_and_without_the_couch():
    image, chest, _ = a_chest(noise=40)
    np.testing.assert_array_equal(body_mask(image), chest)


def test_without_anything_dense_there_is_no_body():
    assert not body_mask(np.full(SHAPE, -1000.0)).any()
