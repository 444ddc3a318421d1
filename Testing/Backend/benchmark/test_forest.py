import numpy as np
from conftest import a_head
from scipy import ndimage

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.forest import SIGMAS, Forest, ForestFeatures, _eigenvalues, multi_scale_features
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.grid import Grid


def test_there_are_ten_features_a_scale_and_the_finest_smoothing():
    image = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    features = list(multi_scale_features(image))
    assert len(features) == 1 + 10 * len(SIGMAS)
    np.testing.assert_allclose(features[1], ndimage.gaussian_filter(image, 0.7), atol=1e-6)


def test_eigenvalues_in_closed_form_are_those_of_the_matrices():
    random = np.random.default_rng(1).normal(size=(3, 3, 5, 4))
    symmetric = random + random.swapaxes(0, 1)
    expected = np.linalg.eigvalsh(np.moveaxis(symmetric, (0, 1), (-2, -1)))[..., ::-1]
    found = np.stack(list(_eigenvalues([list(row) for row in symmetric])), axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_forest_learns_a_phantom_from_nine_slices():
    image, labels = a_head((30, 28, 26))
    features = ForestFeatures((image / image.max())[None], image > 0)
    annotation: Annotation = annotate_slices(
        labels, Grid(image.shape, np.eye(4)), per_axis=3, stride=4, background=True
    )
    found = Forest(features, annotation, 0).predict(features)
    for value in (3, 7):
        overlap = 2 * np.count_nonzero((found == value) & (labels == value))
        assert overlap / (np.count_nonzero(found == value) + np.count_nonzero(labels == value)) > 0.8
