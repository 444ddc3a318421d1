"""What each choice of our method is worth: one after the other undone, on the validation person."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from DiffusionSegLib.benchmark.comparison import WHOLE
from DiffusionSegLib.benchmark.extracted_once import ExtractedOnce, OnTheSameFeatures
from DiffusionSegLib.benchmark.methods import UNTRAINED_SEED, DiffusionMethod, Method
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.side_by_side import print_side_by_side
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, ModelBundle, find_bundle
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import SessionOptions

SETTINGS = ("9+background", WHOLE)
# A weight of activations with which they are but tiny numbers to the segmenter.
NEXT_TO_NOTHING = 1e-9
# Options of a session that leave its features as they are.
NO_MATTER_OF_FEATURES = {"ensemble", "smoothed", "annotated_neighbours"}

# The options of a session that are others, given the bundle.
Change = Callable[[ModelBundle], dict[str, Any]]


def as_it_is(_: ModelBundle) -> dict[str, Any]:
    """Our method."""
    return {}


def untrained(bundle: ModelBundle) -> dict[str, Any]:
    """Denoisers of random weights, beside the same template."""
    return {"bundle": bundle.untrained(UNTRAINED_SEED)}


def ensemble_with(**changes: Any) -> Change:
    """Other settings of the ensemble."""
    return lambda _: {"ensemble": replace(EnsembleConfig(), **changes)}


def features_with(**changes: Any) -> Change:
    """Other features than the bundle's choice."""
    return lambda bundle: {"features": replace(bundle.config.features, **changes)}


CHOICES: Mapping[str, Change] = {
    "as it is": as_it_is,
    "not learnt as in a mirror": ensemble_with(mirrored=False),
    "all activations, not 32 axes": ensemble_with(activation_axes=0),
    "annotated voxels tell of no others": lambda _: {"annotated_neighbours": False},
    "not smoothed either": lambda _: {"smoothed": False},
    "no activations hidden": ensemble_with(feature_dropout=0.0),
    "voxels drawn as they come": ensemble_with(balance=1.0),
    "one network": ensemble_with(members=1),
    "random weights": untrained,
    "no activations": features_with(activation_weight=NEXT_TO_NOTHING),
    "three time steps with noise": features_with(time_steps=(50, 150, 250), noise_scale=1.0),
    "no edges": features_with(edge_sigmas_mm=()),
    "positions in the bounding box, no mirror": features_with(coordinates="box"),
    "the same with random weights": lambda bundle: features_with(coordinates="box")(bundle) | untrained(bundle),
}


def run(arguments: argparse.Namespace) -> int:
    """Print the lines of the method as it is, and of it with each choice undone."""
    data, bundle = OasisFolder(arguments.data), find_bundle(arguments.bundle or DEFAULT_BUNDLE)
    options = SessionOptions(bundle=bundle, device=arguments.device)
    extracted = ExtractedOnce(options)
    methods = ((name, changed_method(extracted, options, change(bundle))) for name, change in CHOICES.items())
    print_side_by_side(data, SETTINGS, methods)
    return 0


def changed_method(extracted: ExtractedOnce, options: SessionOptions, changes: Mapping[str, Any]) -> Method:
    """Our method with some other options, on features that are there already where these options leave them alone."""
    changed = replace(options, **changes)
    return (
        OnTheSameFeatures(extracted, changed) if changes.keys() <= NO_MATTER_OF_FEATURES else DiffusionMethod(changed)
    )
