"""How a denoiser is pretrained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from DiffusionSegLib.diffusion.augmentation import AugmentationConfig
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNetConfig


@dataclass(frozen=True)
class PretrainingConfig:
    """Everything that decides what comes out of a pretraining, but for the images.

    Args:
        unet: the denoiser's shape; with `shared` its `classes` are the three views.
        schedule: the forward process.
        target: what is predicted.
        shared: one denoiser that is told the view, instead of three.
        crop: edge of the training crops in voxels.
        batch: crops a step.
        steps: number of steps.
        learning_rate: AdamW's, after a warm-up over the first 2 % of the steps and with a cosine decay to a tenth.
        ema_decay: decay of the weights' running mean, which is what is kept; shorter at the start.
        clip: largest norm of the gradient.
        highest_time_step: time steps are drawn below this: features come from the low ones.
        synthetic_share: share of the crops that are synthesised from label maps, if any are given.
        position_weight: how much the error of the predicted position in a template (in units of 100 mm) counts beside
            that of the noise; 0 for denoising alone. The denoiser's last three outputs are the position.
        augmentation: how images are changed.
        spacing_mm: edge of the voxels.
        save_every: steps between checkpoints.
        seed: seeds weights, data order and noise.
    """

    unet: UNetConfig = field(default_factory=lambda: UNetConfig(patch=2, classes=3))
    schedule: NoiseSchedule = field(default_factory=NoiseSchedule)
    target: Literal["epsilon", "v"] = "epsilon"
    shared: bool = True
    crop: int = 112
    batch: int = 16
    steps: int = 2000
    learning_rate: float = 4e-4
    ema_decay: float = 0.999
    clip: float = 1.0
    highest_time_step: int = 500
    synthetic_share: float = 0.2
    position_weight: float = 0.0
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    spacing_mm: float = 1.0
    save_every: int = 200
    seed: int = 0

    @property
    def synthesised(self) -> int:
        """How many crops of a batch are synthesised where label maps are given."""
        return round(self.batch * self.synthetic_share)
