import numpy as np
from conftest import a_head

from DiffusionSegLib.normalisation import Normalisation, foreground_mask, is_much_below_zero


def test_air_becomes_minus_one_and_the_percentile_one():
    image = np.concatenate([np.zeros(1000), np.linspace(1, 100, 1000)]).reshape(1, 20, 10, 10)
    found = Normalisation().apply(image, "mr")
    assert found.dtype == np.float32
    assert (found[image == 0] == -1).all()
    assert found.max() == 1
    scale = np.percentile(image[image > 0], 99.5)
    np.testing.assert_allclose(found[image == 50], 2 * 50 / scale - 1, atol=1e-6)


def test_hounsfield_units_are_windowed_first():
    image = np.array([-3000.0, -1000.0, 0.0, 40.0, 3000.0]).reshape(1, 5, 1, 1)
    found = Normalisation().apply(image, "ct").ravel()
    assert found[0] == found[1] == -1
    assert found[1] < found[2] < found[3] < found[4] == 1


def test_channels_of_another_kind_are_no_hounsfield_units():
    ct, pet = np.array([-1000.0, 0.0, 40.0, 900.0]), np.array([0.0, 0.5, 2.0, 4.0])
    found = Normalisation().apply(np.stack([ct, pet]).reshape(2, 4, 1, 1), "ct", known=1)
    np.testing.assert_allclose(found[0], Normalisation().apply(ct.reshape(1, 4, 1, 1), "ct")[0])
    assert found[1].min() == -1
    assert np.ptp(found[1]) > 1.9


def test_the_percentile_of_a_ct_scan_is_that_of_the_body():
    # Noisy air is most of the scan, and the couch is the brightest.
    image = np.random.default_rng(0).normal(-1000, 20, (40, 40, 20))
    image[:, :2] = 900
    image[10:30, 10:30, 5:15] = np.linspace(0, 400, 10)
    body = image[10:30, 10:30, 5:15]
    found = Normalisation().apply(image[None], "ct")[0, 10:30, 10:30, 5:15]
    scale = np.percentile(body + 1000, 99.5)
    np.testing.assert_allclose(found, np.clip(2 * (body + 1000) / scale - 1, -1, 1), atol=1e-5)


def test_a_ct_scan_without_a_body_keeps_its_brightest_below_one():
    image = np.linspace(-1000, -600, 500).reshape(1, 5, 10, 10)
    found = Normalisation().apply(image, "ct")
    assert found.min() == -1
    assert found.max() == 1


def test_tissue_has_no_holes_and_specks_of_noise_are_no_tissue():
    image, labels = a_head()
    image[labels == 3] = 0
    image[0, 0, 0] = 500
    tissue = foreground_mask(Normalisation().apply(image[None], "mr"))
    assert tissue[labels == 3].all()
    assert not tissue[0, 0, 0]


def test_a_scan_with_a_mean_of_zero_is_much_below_it():
    image, labels = a_head()
    tissue = labels > 0
    brain_alone = np.where(tissue, (image - image[tissue].mean()) / image[tissue].std(), 0)
    assert is_much_below_zero(brain_alone)
    assert is_much_below_zero((image - image.mean()) / image.std())


def test_what_resampling_leaves_below_zero_does_not_count():
    image, labels = a_head()
    assert not is_much_below_zero(image)
    ringing = np.where(labels == 0, np.resize([0.004, -0.004], image.shape) * image.max(), image)
    assert not is_much_below_zero(ringing)
    deep = image.copy()
    deep[::20, ::20] = -image.max()
    assert not is_much_below_zero(deep)


def test_a_channel_without_anything_above_zero_is_much_below_it():
    image, _ = a_head()
    assert is_much_below_zero(-image)
    assert not is_much_below_zero(0 * image)
