"""`diffusionseg pretrain`: denoisers from unlabelled images."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from DiffusionSegLib.commands.options import add_device, add_seed, positive

# Errors of positions, in units of 100 mm, are small beside those of the noise.
POSITION_WEIGHT = 2.0


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("pretrain", help="pretrain denoisers on unlabelled images of your own")
    parser.add_argument("images", metavar="IMAGES", type=Path, nargs="+", help="scans, or folders that hold them")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder for the bundle")
    parser.add_argument(
        "--channels",
        nargs="+",
        default=[],
        metavar="END",
        help="how the names of the files of a scan's channels end, such as T1w FLAIR",
    )
    parser.add_argument("--label-maps", type=Path, nargs="+", default=[], help="also synthesise images from these")
    parser.add_argument("--name", default="my-bundle", help="what the bundle is called (my-bundle)")
    parser.add_argument("--licence", default="not stated", help="licence of the weights, shown to their users")
    parser.add_argument("--modality", choices=("mr", "ct"), default="mr", help="(mr)")
    parser.add_argument("--steps", type=positive(int), default=2000, help="training steps (2000)")
    parser.add_argument("--batch", type=positive(int), default=16, help="slices a step (16)")
    parser.add_argument("--crop", type=positive(int), default=112, help="edge of the training crops in voxels (112)")
    parser.add_argument("--learning-rate", type=positive(float), default=6e-4, help="(0.0006)")
    parser.add_argument("--target", choices=("epsilon", "v"), default="epsilon", help="what is predicted (epsilon)")
    parser.add_argument("--schedule", choices=("linear", "cosine"), default="linear", help="of the noise (linear)")
    parser.add_argument("--spacing", type=positive(float), default=1.0, help="edge of the model's voxels in mm (1)")
    parser.add_argument("--base-channels", type=positive(int), default=32, help="channels of the first level (32)")
    parser.add_argument("--separate", action="store_true", help="a denoiser for each view instead of one for all")
    parser.add_argument(
        "--positions",
        action="store_true",
        help="average the images to a template, teach the denoiser where in it voxels lie, and make that a feature",
    )
    parser.add_argument(
        "--asymmetric",
        action="store_true",
        help="left and right of the body part are no mirror images (chest, abdomen): images are not flipped",
    )
    parser.add_argument("--start-from", metavar="NAME_OR_DIR", help="begin with this bundle's weights")
    add_device(parser)
    add_seed(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on where an interrupted training stopped, and write the bundle."""
    from DiffusionSegLib.bundles.bundle import find_bundle
    from DiffusionSegLib.commands.terminal_progress import TerminalProgress
    from DiffusionSegLib.devices import choose_device
    from DiffusionSegLib.diffusion.augmentation import AugmentationConfig
    from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
    from DiffusionSegLib.diffusion.pretraining_job import PretrainingJob
    from DiffusionSegLib.diffusion.schedule import NoiseSchedule
    from DiffusionSegLib.diffusion.unet import UNetConfig

    channels = max(1, len(arguments.channels))
    config = PretrainingConfig(
        augmentation=AugmentationConfig(flip=not arguments.asymmetric),
        unet=UNetConfig(
            patch=2,
            classes=3,
            base_channels=arguments.base_channels,
            channels_in=channels,
            channels_out=channels + 3 * arguments.positions,
        ),
        position_weight=POSITION_WEIGHT if arguments.positions else 0.0,
        schedule=NoiseSchedule(kind=arguments.schedule),
        target=arguments.target,
        shared=not arguments.separate,
        crop=arguments.crop,
        batch=arguments.batch,
        steps=arguments.steps,
        learning_rate=arguments.learning_rate,
        spacing_mm=arguments.spacing,
        seed=arguments.seed,
    )
    start = find_bundle(arguments.start_from) if arguments.start_from else None
    job = PretrainingJob(
        config, arguments.name, arguments.licence, arguments.modality, start, tuple(arguments.channels)
    )
    device = choose_device(arguments.device)
    with closing(TerminalProgress()) as progress:
        job.run(arguments.images, arguments.label_maps, arguments.out, device, progress)
    print(f"Bundle written to {arguments.out}; samples.png in it shows what the denoiser restores.")
    return 0
