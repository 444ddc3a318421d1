"""One, two and three views, and the ways to fuse them, on the validation person."""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace

from DiffusionSegLib.benchmark.comparison import compare
from DiffusionSegLib.benchmark.methods import DiffusionMethod
from DiffusionSegLib.benchmark.oasis import VALIDATION, OasisFolder
from DiffusionSegLib.benchmark.scores import HEADER
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, find_bundle
from DiffusionSegLib.diffusion.slice_source import VIEWS
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.session import SessionOptions

SETTING = "9+background"


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each set of views and for each fusion of all three."""
    data = OasisFolder(arguments.data)
    bundle = find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    chosen: dict[str, FeatureConfig] = {}
    for number in (1, 2, 3):
        for views in itertools.combinations(VIEWS, number):
            chosen[f"{' + '.join(views)}, sum"] = replace(bundle.config.features, views=views)
    for fusion in ("concat", "max"):
        chosen[f"{' + '.join(VIEWS)}, {fusion}"] = replace(bundle.config.features, fusion=fusion)
    print(HEADER, flush=True)  # noqa: T201
    for name, features in chosen.items():
        options = SessionOptions(bundle=bundle, device=arguments.device, features=features)
        for row in compare(name, DiffusionMethod(options), data, [SETTING], data.people(VALIDATION)):
            print(row.markdown(), flush=True)  # noqa: T201
    return 0
