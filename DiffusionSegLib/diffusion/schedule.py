"""The forward process: how much of the image is left at each time step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class NoiseSchedule:
    """Variances of the noise that the forward process adds (Ho et al. 2020, eq. 2 and 4).

    Args:
        steps: number of time steps T; steps are counted from 0.
        kind: "linear" (betas 1e-4 to 0.02 for 1000 steps, scaled by 1000 / T for others) or "cosine"
            (Nichol & Dhariwal 2021, eq. 17, offset 0.008, betas capped at 0.999).
    """

    steps: int = 1000
    kind: Literal["linear", "cosine"] = "linear"

    @cached_property
    def alpha_bar(self) -> Tensor:
        """Share of the image's variance left at each step: float64 of shape (steps,)."""
        if self.kind == "linear":
            scale = 1000 / self.steps
            betas = torch.linspace(1e-4 * scale, 0.02 * scale, self.steps, dtype=torch.float64)
        else:
            edges = torch.arange(self.steps + 1, dtype=torch.float64) / self.steps
            curve = torch.cos((edges + 0.008) / 1.008 * math.pi / 2) ** 2
            betas = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
        return torch.cumprod(1 - betas, dim=0)

    def coefficients(self, time_steps: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of image and noise at integer `time_steps`, float32, in the shape of `time_steps`."""
        kept = self.alpha_bar.to(time_steps.device)[time_steps]
        return kept.sqrt().float(), (1 - kept).sqrt().float()

    def noised(self, images: Tensor, time_steps: Tensor, noise: Tensor) -> Tensor:
        """Images of shape (N, C, ...) at `time_steps` of shape (N,): eq. 1 of Cho et al."""
        signal, spread = self._per_image(images, time_steps)
        return signal * images + spread * noise

    def velocity(self, images: Tensor, time_steps: Tensor, noise: Tensor) -> Tensor:
        """The v target of Salimans & Ho 2022: noise and image swapped in the mixture."""
        signal, spread = self._per_image(images, time_steps)
        return signal * noise - spread * images

    def denoised(self, noised: Tensor, time_steps: Tensor, prediction: Tensor, target: str) -> Tensor:
        """The image that a prediction of `target` ("epsilon" or "v") stands for."""
        signal, spread = self._per_image(noised, time_steps)
        if target == "v":
            return signal * noised - spread * prediction
        return (noised - spread * prediction) / signal

    def _per_image(self, images: Tensor, time_steps: Tensor) -> tuple[Tensor, Tensor]:
        shape = (-1, *[1] * (images.dim() - 1))
        signal, spread = self.coefficients(time_steps)
        return signal.view(shape), spread.view(shape)
