"""Weights for the U-Net from taking noise out of unlabelled slices (as "Denoising" in Cho et al., table 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.benchmark.anatomical_order import AnatomicalOrder
from DiffusionSegLib.benchmark.unet_training import new_unet
from DiffusionSegLib.diffusion.augmentation import AugmentationConfig, moved, recoloured
from DiffusionSegLib.diffusion.slice_source import SliceSource
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.normalisation import AIR, Normalisation
from DiffusionSegLib.volume import Volume


@dataclass(frozen=True)
class DenoisingConfig:
    """How the U-Net is pretrained.

    Args:
        steps: number of steps; by default as many crops as the bundle brain-t1 was trained on (1620 steps of 16).
        batch: crops a step.
        crop: edge of the crops in voxels.
        learning_rate: the peak of a one-cycle schedule.
        noise: largest standard deviation of the noise, in the range of [-1, 1].
        seed: seeds everything that is drawn at random.
    """

    steps: int = 3240
    batch: int = 8
    crop: int = 112
    learning_rate: float = 2e-3
    noise: float = 0.6
    seed: int = 0


def denoising_start(
    volumes: Sequence[Volume], config: DenoisingConfig, device: torch.device, kept: Path | None = None
) -> dict[str, Tensor]:
    """The pretrained weights.

    Args:
        volumes: unlabelled scans.
        config: how to train.
        device: what computes.
        kept: a file that the weights are read from if it is there, and written to if not.

    Raises:
        DiffusionSegError: if the file is damaged or was trained in another way.
    """
    if kept is not None and kept.exists():
        return _read(kept, config)
    weights = pretrained(volumes, config, device)
    if kept is not None:
        with atomic_path(kept) as part:
            save_file(weights, part, metadata=_told(config))
    return weights


def pretrained(volumes: Sequence[Volume], config: DenoisingConfig, device: torch.device) -> dict[str, Tensor]:
    """Weights of a U-Net that has learnt to restore slices of the volumes from noise of any strength up to the most."""
    images = [
        AnatomicalOrder(volume.grid).apply(Normalisation().apply(volume.data, "mr")[0])[None] for volume in volumes
    ]
    source, numbers = SliceSource(images, outside=AIR), np.random.default_rng(config.seed)
    random = torch.Generator().manual_seed(config.seed)
    changes = AugmentationConfig()
    unet = new_unet(1, config.seed).to(device).train()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
    margin = config.crop // 8
    for _ in range(config.steps):
        crops, views = source.draw(config.batch, config.crop + 2 * margin, numbers)
        clean = recoloured(moved(crops, views, margin, changes, random), changes, random)
        strength = config.noise * torch.rand(config.batch, 1, 1, 1, generator=random)
        noisy = clean + strength * torch.randn(clean.shape, generator=random)
        loss = F.mse_loss(unet(noisy.to(device)), clean.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return {name: tensor.detach().cpu().contiguous() for name, tensor in unet.state_dict().items()}


def _told(config: DenoisingConfig) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(config).items()}


def _read(path: Path, config: DenoisingConfig) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            told: Mapping[str, str] = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DiffusionSegError(f"The weights in {path} cannot be read.", "Delete the file to train anew.") from error
    if told != _told(config):
        message = f"The weights in {path} were pretrained in another way."
        raise DiffusionSegError(message, "Delete the file to train anew, or name another.")
    return weights
