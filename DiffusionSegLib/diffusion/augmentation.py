"""Changes of images that the features should not mind: geometry, contrast, bias field, blur and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# Along each axis of a crop.
DEFORMATION_NODES = 5


@dataclass(frozen=True)
class AugmentationConfig:
    """How far images are changed; zeros switch a change off.

    Args:
        zoom: largest relative change of size.
        rotation_degrees: largest rotation.
        gamma: largest absolute logarithm of the contrast exponent.
        bias: largest absolute logarithm of the bias field.
        blur: largest standard deviation of the blur, in pixels.
        noise: largest standard deviation of added noise, in the range of [-1, 1].
        flip: mirror left and right in the views where the two sides show.
        deformation: largest displacement of what is synthesised, in pixels, in each direction.
        thickness: coarsest resolution of what is synthesised, in pixels, along one of the slice's axes.
    """

    zoom: float = 0.15
    rotation_degrees: float = 12.0
    gamma: float = 0.35
    bias: float = 0.25
    blur: float = 0.7
    noise: float = 0.03
    flip: bool = True
    deformation: float = 4.0
    thickness: float = 4.0


def moved(
    images: Tensor,
    views: Tensor,
    margin: int,
    config: AugmentationConfig,
    random: torch.Generator,
    *,
    mode: str = "bilinear",
    odd_channels: Sequence[int] = (),
    deformation: float = 0.0,
) -> Tensor:
    """Images (N, C, H, W) rotated, zoomed, deformed and, but for sagittal views (0), mirrored along H; less a margin.

    `odd_channels` change their sign in a mirror: positions to the right are positions to the left there. `deformation`
    is the largest displacement in pixels, in each direction, of a smooth deformation.
    """
    count = len(images)
    angle = _symmetric(count, random) * math.radians(config.rotation_degrees)
    zoom = torch.exp(_symmetric(count, random) * config.zoom)
    mirror = torch.where((torch.rand(count, generator=random) < 0.5 * config.flip) & (views != 0), -1.0, 1.0)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = zoom * angle.cos(), -zoom * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = mirror * zoom * angle.sin(), mirror * zoom * angle.cos()
    places = F.affine_grid(matrix, list(images.shape), align_corners=False)
    if deformation:
        places = places + _smooth_displacements(images.shape, deformation, random)
    places = places[:, margin : places.shape[1] - margin, margin : places.shape[2] - margin]
    found = F.grid_sample(images, places, mode=mode, padding_mode="border", align_corners=False)
    for channel in odd_channels:
        found[:, channel] *= mirror[:, None, None]
    return found


def recoloured(images: Tensor, config: AugmentationConfig, random: torch.Generator) -> Tensor:
    """Images (N, C, H, W) in [-1, 1] with other contrast, bias field, sharpness and noise; air (-1) stays air."""
    count, channels, height, width = images.shape
    tissue = images > -0.99
    unit = (images + 1) / 2
    unit = unit ** torch.exp(_symmetric(count * channels, random) * config.gamma).view(count, channels, 1, 1)
    coarse = (2 * torch.rand(count, channels, 4, 4, generator=random) - 1) * config.bias
    unit = unit * torch.exp(F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True))
    unit = blurred(unit, torch.rand(count, generator=random) * config.blur)
    spread = (torch.rand(count, generator=random) * config.noise).view(-1, 1, 1, 1)
    changed = 2 * unit - 1 + spread * torch.randn(images.shape, generator=random)
    return torch.where(tissue, changed.clamp(-1, 1), images)


def blurred(images: Tensor, sigmas: Tensor) -> Tensor:
    """Each of the images (N, C, H, W) under a Gaussian of its own width in pixels."""
    count, channels = images.shape[:2]
    offsets = torch.arange(-2, 3, dtype=torch.float32)
    kernels = torch.exp(-0.5 * (offsets[None] / sigmas.clamp(min=1e-3)[:, None]) ** 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = images.reshape(1, count * channels, *images.shape[2:])
    across, down = kernels[:, None, None, :], kernels[:, None, :, None]
    flat = F.conv2d(F.pad(flat, (2, 2, 0, 0), mode="replicate"), across, groups=count * channels)
    flat = F.conv2d(F.pad(flat, (0, 0, 2, 2), mode="replicate"), down, groups=count * channels)
    return flat.reshape(images.shape)


def _smooth_displacements(shape: torch.Size, largest: float, random: torch.Generator) -> Tensor:
    """Displacements (N, H, W, 2) of up to so many pixels, in the units of `F.affine_grid`, that change slowly."""
    count, _, height, width = shape
    # Bilinear between few nodes: a bicubic curve would go beyond them.
    nodes = 2 * torch.rand(count, 2, DEFORMATION_NODES, DEFORMATION_NODES, generator=random) - 1
    pixels = largest * F.interpolate(nodes, size=(height, width), mode="bilinear", align_corners=True)
    return pixels.permute(0, 2, 3, 1) * torch.tensor([2 / width, 2 / height])


def _symmetric(count: int, random: torch.Generator) -> Tensor:
    return 2 * torch.rand(count, generator=random) - 1
