"""The 2D U-Net that we compare with, and how it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from DiffusionSegLib.annotation import UNKNOWN
from DiffusionSegLib.benchmark.annotated_slices import AnnotatedSlices
from DiffusionSegLib.extras import of_extra
from DiffusionSegLib.progress import Curve, unseen

# Channels from full resolution to a sixteenth of it, and of what the classes are read from.
CHANNELS = (16, 32, 64, 128, 256, 16)
SMALLEST_MULTIPLE = 16
# Steps between two reports of the loss.
TOLD_EVERY = 50


@dataclass(frozen=True)
class UNetTraining:
    """How the U-Net learns a setting.

    Args:
        steps: number of steps.
        batch: slices a step.
        crop: edge of the slices' crops in voxels.
        learning_rate: the peak of a one-cycle schedule.
        weight_decay: AdamW's.
        seed: seeds everything that is drawn at random.
    """

    steps: int = 2000
    batch: int = 8
    crop: int = 128
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    seed: int = 0


def new_unet(channels_out: int, seed: int) -> nn.Module:
    """MONAI's U-Net with instance norm, at full resolution half as wide as its default, of weights drawn at random."""
    with of_extra("benchmark", "The U-Net needs the package MONAI"):
        from monai.networks.nets.basic_unet import BasicUNet
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet: Any = BasicUNet(spatial_dims=2, in_channels=1, out_channels=channels_out, features=CHANNELS)
    return unet


def train_unet(
    unet: nn.Module, slices: AnnotatedSlices, training: UNetTraining, device: torch.device, curve: Curve = unseen
) -> nn.Module:
    """The U-Net after it has learnt the known voxels of the slices; `curve` is told of the mean loss now and then."""
    random = torch.Generator().manual_seed(training.seed)
    unet = unet.to(device).train()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.learning_rate, total_steps=training.steps)
    loss_sum = torch.zeros((), device=device)
    for step in range(training.steps):
        images, classes = slices.draw(training.batch, training.crop, random)
        loss = dice_and_cross_entropy(unet(images.to(device)), classes.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.detach()
        if (step + 1) % TOLD_EVERY == 0:
            curve(step + 1, float(loss_sum) / TOLD_EVERY, None)
            loss_sum.zero_()
    return unet.eval().requires_grad_(False)


def dice_and_cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy plus one less the soft Dice, of known voxels alone.

    Args:
        logits: shape (N, classes, H, W).
        classes: shape (N, H, W), -1 where nothing is known.

    Returns:
        The sum of both; Dice is taken over the whole batch, its mean over those classes that the batch shows.
    """
    known = classes != UNKNOWN
    logits, classes = logits.movedim(1, -1)[known], classes[known]
    probabilities = logits.softmax(-1)
    wanted = F.one_hot(classes, logits.shape[-1]).to(probabilities)
    overlap, sizes = (probabilities * wanted).sum(0), probabilities.sum(0) + wanted.sum(0)
    shown = wanted.sum(0) > 0
    dice = (2 * overlap / sizes.clamp(min=1e-6))[shown].mean()
    return F.cross_entropy(logits, classes) + 1 - dice
