"""The methods of the nine-slice benchmark by name."""

from pathlib import Path

import pytest
import torch
from conftest import a_head, a_volume

from DiffusionSegLib.benchmark.competitors import Competitors
from DiffusionSegLib.benchmark.oasis import OasisFolder


@pytest.fixture
def competitors(aligned_bundle):
    return Competitors(OasisFolder(Path("none")), aligned_bundle, "cpu")


def test_untrained_weights_are_other_ones_in_the_same_template(competitors, aligned_bundle):
    bundle = competitors.make("untrained").session.bundle
    assert bundle.random_seed is not None
    assert bundle.folder == aligned_bundle.folder


def test_without_activations_these_are_tiny_beside_the_rest(competitors):
    session = competitors.make("no-activations").session
    session.open(a_volume(a_head((24, 24, 24))[0]))
    with pytest.warns(match="hardly looks like"):
        features = session.extract()
    found = features.at(torch.tensor([[12, 12, 12], [9, 12, 14]]))
    assert found[:, : features.view_channels].abs().max() < 1e-3
    assert found[:, features.view_channels :].abs().max() > 0.1


def test_without_the_mirror_all_else_is_as_ours(competitors):
    ours, other = (competitors.make(name).session.options for name in ("ours", "no-mirror"))
    assert ours.ensemble.mirrored
    assert not other.ensemble.mirrored
    assert (other.bundle, other.features) == (ours.bundle, ours.features)
