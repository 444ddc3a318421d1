"""`diffusionseg import`: a published checkpoint becomes a model bundle."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import positive

LAYOUTS = ("guided-diffusion-256", "braintumor-ddpm")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("import", help="make a model bundle of a denoiser that others have published")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", type=Path, help="its weights, a .pt file")
    parser.add_argument("--layout", choices=LAYOUTS, required=True, help="which denoiser it is")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder for the bundle")
    parser.add_argument("--name", help="what the bundle is called (that of the layout)")
    parser.add_argument("--licence", default="not stated", help="licence of the weights, shown to their users")
    parser.add_argument("--modality", choices=("mr", "ct"), default="mr", help="of the scans it is for (mr)")
    parser.add_argument("--spacing", type=positive(float), default=1.0, help="edge of the model's voxels in mm (1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the bundle."""
    from DiffusionSegLib.bundles.published import PublishedBundle

    name = arguments.name or arguments.layout
    bundle = PublishedBundle(arguments.layout, name, arguments.licence, arguments.spacing, arguments.modality)
    bundle.write(arguments.checkpoint, arguments.out)
    print(f"Bundle written to {arguments.out}; use it with --bundle {arguments.out}.")
    return 0
