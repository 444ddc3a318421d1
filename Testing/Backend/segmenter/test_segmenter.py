from dataclasses import replace

import pytest
import torch

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.segmenter import Segmenter, SegmenterHeader


def a_segmenter(digest: str = "none") -> Segmenter:
    header = SegmenterHeader(
        bundle="tiny",
        bundle_digest=digest,
        channels=1,
        features=FeatureConfig(time_steps=(7,), fusion="concat"),
        values=(0, 35),
        labels=(Label(35, "Brainstem", (1, 2, 3), "term"),),
        keep_largest=(35,),
        hidden=(6, 4),
        members=2,
    )
    return Segmenter(header, MlpEnsemble(2, 5, (6, 4), 2).eval())


def test_a_segmenter_comes_back_from_its_file(tmp_path):
    segmenter = a_segmenter()
    segmenter.save(tmp_path / "brain.safetensors")
    loaded = Segmenter.load(tmp_path / "brain.safetensors")
    assert loaded.header == segmenter.header
    batch = torch.randn(2, 3, 5)
    torch.testing.assert_close(loaded.ensemble(batch), segmenter.ensemble(batch), rtol=0, atol=0)


def test_a_file_that_is_no_segmenter_is_refused(tmp_path, tiny_bundle: ModelBundle):
    (tmp_path / "text").write_text("no tensors")
    for path in (tmp_path / "text", tiny_bundle.folder / "model.safetensors"):
        with pytest.raises(DiffusionSegError, match="not a segmenter"):
            Segmenter.load(path)
    with pytest.raises(DiffusionSegError, match="no segmenter"):
        Segmenter.load(tmp_path / "nowhere")
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        Segmenter.load(tmp_path)


def test_a_segmenter_of_another_bundle_is_refused(tiny_bundle: ModelBundle):
    with pytest.raises(DiffusionSegError, match="other weights"):
        a_segmenter("0" * 64).check_bundle(tiny_bundle)
    a_segmenter(tiny_bundle.digest).check_bundle(tiny_bundle)


def test_an_ensemble_goes_on_only_if_its_values_mean_the_same_structures():
    header = a_segmenter().header
    brainstem, other = header.labels[0], Label(36, "Tectum", (1, 2, 3))
    assert header.goes_on_from(replace(header, labels=(replace(brainstem, color=(9, 9, 9)), other), keep_largest=()))
    assert not header.goes_on_from(replace(header, labels=(replace(brainstem, name="Cerebellum"),)))
    both = replace(header, values=(0, 35, 36), labels=(brainstem, other))
    assert not both.goes_on_from(replace(both, labels=(replace(brainstem, value=36), replace(other, value=35))))
    assert both.goes_on_from(replace(both, labels=(other, brainstem)))
