"""One, two and three views, and the ways to fuse them, on the validation person."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import replace

from DiffusionSegLib.benchmark.extracted_once import ExtractedOnce, OnTheSameFeatures
from DiffusionSegLib.benchmark.methods import DiffusionScan
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.side_by_side import print_side_by_side
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.diffusion.slice_source import VIEWS, View
from DiffusionSegLib.features.feature_config import Fusion
from DiffusionSegLib.session import SessionOptions
from DiffusionSegLib.volume import Volume

SETTING = "9+background"
SUBSETS = [views for number in (1, 2, 3) for views in itertools.combinations(VIEWS, number)]
CHOICES: list[tuple[tuple[View, ...], Fusion]] = [
    *((views, "sum") for views in SUBSETS),
    (VIEWS, "concat"),
    (VIEWS, "max"),
]


def run(arguments: argparse.Namespace) -> int:
    """Print the lines of each set of views and of each fusion of all three."""
    data = OasisFolder(arguments.data)
    options = SessionOptions(bundle=find_bundle(arguments.bundle or DEFAULT_BUNDLE), device=arguments.device)
    extracted = ExtractedOnce(options)
    methods = (
        (f"{' + '.join(views)}, {fusion}", FusedViews(extracted, options, views, fusion)) for views, fusion in CHOICES
    )
    print_side_by_side(data, [SETTING], methods)
    return 0


class FusedViews(OnTheSameFeatures):
    """Our way with some of the views, or another fusion.

    Args:
        extracted: computes the features of all views.
        options: which bundle they are of.
        views: which to take.
        fusion: how they come together.
    """

    def __init__(
        self, extracted: ExtractedOnce, options: SessionOptions, views: Sequence[View], fusion: Fusion
    ) -> None:
        chosen = replace(extracted.session.bundle.config.features, views=tuple(views), fusion=fusion)
        super().__init__(extracted, replace(options, features=chosen))
        self.views, self.fusion = views, fusion

    def open(self, volume: Volume) -> DiffusionScan:
        return DiffusionScan(volume, super().open(volume).features.fused_as(self.views, self.fusion))
