"""The methods of the nine-slice benchmark by name."""

from pathlib import Path

import pytest

from DiffusionSegLib.benchmark.competitors import Competitors
from DiffusionSegLib.benchmark.oasis import OasisFolder


@pytest.fixture
def competitors(aligned_bundle):
    return Competitors(OasisFolder(Path("none")), aligned_bundle, "cpu")


def test_untrained_weights_are_other_ones_in_the_same_template(competitors, aligned_bundle):
    bundle = competitors.make("untrained").session.bundle
    assert bundle.random_seed is not None
    assert bundle.folder == aligned_bundle.folder
