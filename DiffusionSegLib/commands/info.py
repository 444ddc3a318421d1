"""`diffusionseg info`: what is installed, what computes, which bundles there are."""

from __future__ import annotations

import argparse
import json
import platform
from typing import Any

from DiffusionSegLib import __version__


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("info", help="version, devices and model bundles")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--cards", action="store_true", help="with the whole card of each model bundle")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what a report of a problem should contain."""
    import torch

    from DiffusionSegLib.bundles.description import bundled_descriptions
    from DiffusionSegLib.devices import describe_devices

    versions = {"DiffusionSeg": __version__, "python": platform.python_version(), "torch": torch.__version__}
    bundles = [
        {"name": bundle.name, "description": bundle.description, "licence": bundle.licence}
        | ({"card": bundle.card} if arguments.cards else {})
        for bundle in bundled_descriptions()
    ]
    if arguments.json:
        print(json.dumps({"versions": versions, "devices": describe_devices(), "bundles": bundles}))
        return 0
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print("\n".join(describe_devices()))
    for bundle in bundles:
        print(f"bundle {bundle['name']}: {bundle['description']} Weights: {bundle['licence']}.")
        if arguments.cards:
            print(f"\n{bundle['card']}")
    if not arguments.cards:
        print("What they were trained on, how, and how well they do: diffusionseg info --cards")
    return 0
