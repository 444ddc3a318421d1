from dataclasses import replace

import pytest
import torch
from conftest import a_head

from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.feature_count import feature_count
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.placement import Placement

CONFIG = FeatureConfig(time_steps=(50, 150), blocks=(0, 1, 3))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fusion": "concat"},
        {"fusion": "concat", "views": ("axial",)},
        {"blocks": (2, 2)},
        {"coordinates": "none", "edge_sigmas_mm": ()},
        {"coordinates": "template"},
    ],
)
def test_features_are_as_many_as_are_extracted(tiny_bundle, changes, channels):
    config = replace(CONFIG, **changes)
    image, _ = a_head((12, 10, 8))
    volume = (image / image.max() * 2 - 1)[None].repeat(channels, axis=0)
    placement = Placement(volume[:1].repeat(3, axis=0)) if config.coordinates == "template" else None
    extractor = ActivationExtractor(tiny_bundle.denoisers(), NoiseSchedule(), config)
    found = OrthogonalFeatures.extract(volume, volume[0] > -1, extractor, 1.0, placement=placement)
    made = found.at(torch.zeros(1, 3, dtype=torch.long)).shape[1]
    assert feature_count(config, tiny_bundle.config.unet, channels) == made
