"""One, two and three views, and the ways to fuse them, on the validation person."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import replace

from DiffusionSegLib.benchmark.comparison import compare
from DiffusionSegLib.benchmark.methods import DiffusionMethod, DiffusionScan
from DiffusionSegLib.benchmark.oasis import VALIDATION, OasisFolder
from DiffusionSegLib.benchmark.scores import HEADER
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, ModelBundle, find_bundle
from DiffusionSegLib.diffusion.slice_source import VIEWS, View
from DiffusionSegLib.features.feature_config import Fusion
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
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
    """Print a line for each set of views and for each fusion of all three."""
    data = OasisFolder(arguments.data)
    all_views = AllViews(find_bundle(arguments.bundle or DEFAULT_BUNDLE), arguments.device)
    print(HEADER, flush=True)  # noqa: T201
    for views, fusion in CHOICES:
        method = FusedViews(all_views, views, fusion)
        name = f"{' + '.join(views)}, {fusion}"
        for row in compare(name, method, data, [SETTING], data.people(VALIDATION)):
            print(row.markdown(), flush=True)  # noqa: T201
    return 0


class AllViews:
    """The features of all views, which are computed once a scan.

    Args:
        bundle: the denoisers.
        device: what computes.
    """

    def __init__(self, bundle: ModelBundle, device: str) -> None:
        self.bundle, self.device = bundle, device
        self._method = DiffusionMethod(SessionOptions(bundle=bundle, device=device))
        self._found: dict[str, OrthogonalFeatures] = {}

    def of(self, volume: Volume) -> OrthogonalFeatures:
        key = volume.content_digest()
        if key not in self._found:
            self._found[key] = self._method.open(volume).features
        return self._found[key]


class FusedViews(DiffusionMethod):
    """Our way with some of the views, or another fusion.

    Args:
        all_views: computes the features.
        views: which to take.
        fusion: how they come together.
    """

    def __init__(self, all_views: AllViews, views: Sequence[View], fusion: Fusion) -> None:
        features = replace(all_views.bundle.config.features, views=tuple(views), fusion=fusion)
        super().__init__(SessionOptions(bundle=all_views.bundle, device=all_views.device, features=features))
        self.all_views, self.views, self.fusion = all_views, views, fusion

    def open(self, volume: Volume) -> DiffusionScan:
        return DiffusionScan(volume, self.all_views.of(volume).fused_as(self.views, self.fusion))
