from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head

from DiffusionSegLib.features import features_file
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.features_file import COMMON, features_bytes, load_features, save_features
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures


@pytest.fixture(scope="module")
def features(tiny_bundle):
    image, _ = a_head((22, 27, 18))
    config = replace(tiny_bundle.config.features, fusion="concat", views=("sagittal", "axial"))
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, config)
    found = OrthogonalFeatures.extract((image / image.max() * 2 - 1)[None], image > 0, extractor, 1.0)
    return replace(found, likeness=0.75, flipped=(1, 2), part=image[::-1] > 0)


def test_features_come_back_as_they_were(features, tmp_path):
    save_features(tmp_path, features)
    again = load_features(tmp_path)
    assert again.config == features.config
    assert again.origin == features.origin
    assert (again.likeness, again.flipped) == (features.likeness, features.flipped)
    np.testing.assert_array_equal(again.tissue, features.tissue)
    np.testing.assert_array_equal(again.part, features.part)
    torch.testing.assert_close(again.typical, features.typical, rtol=0, atol=0)
    points = torch.from_numpy(np.argwhere(features.tissue)[::37])
    torch.testing.assert_close(again.at(points), features.at(points), rtol=0, atol=0)
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert features_bytes(features) <= written < features_bytes(features) + 10_000


def test_features_of_a_scan_that_the_template_shows_whole_come_back_as_such(features, tmp_path):
    save_features(tmp_path, replace(features, part=None))
    assert load_features(tmp_path).part is None


def test_features_that_were_not_written_to_the_end_count_as_absent(features, tmp_path):
    class InTheMiddleError(Exception):
        pass

    def stop(stage, done, total):
        if done == 1:
            raise InTheMiddleError

    save_features(tmp_path, features)
    with pytest.raises(InTheMiddleError):
        save_features(tmp_path, features, stop)
    assert load_features(tmp_path) is None


@pytest.mark.parametrize("spoilt", [COMMON, "features-view1.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"12345678 no tensors"])
def test_missing_and_damaged_features_count_as_absent(features, tmp_path, spoilt, content):
    save_features(tmp_path, features)
    (tmp_path / spoilt).unlink()
    if content is not None:
        (tmp_path / spoilt).write_bytes(content)
    assert load_features(tmp_path) is None


def test_features_of_another_version_count_as_absent(features, tmp_path, monkeypatch):
    save_features(tmp_path, features)
    monkeypatch.setattr(features_file, "FORMAT", "DiffusionSeg features 99.0")
    assert load_features(tmp_path) is None
