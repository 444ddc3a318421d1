"""The parts of the denoiser, named and nested as in the guided-diffusion layout so that its weights load by name."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from DiffusionSegLib.diffusion.attention import attended
from DiffusionSegLib.linear_layer import linear


def convolution(dims: int, channels_in: int, channels_out: int, kernel: int, *, stride: int = 1) -> nn.Module:
    """A 1D, 2D or 3D convolution that keeps the size at stride 1."""
    kinds = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
    return kinds[dims](channels_in, channels_out, kernel, stride=stride, padding=kernel // 2)


def zeroed(module: nn.Module) -> nn.Module:
    """The module with its parameters at zero, so that a residual branch starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def halved(images: Tensor) -> Tensor:
    """Mean of each 2 x 2 (x 2) neighbourhood."""
    return F.avg_pool2d(images, 2) if images.dim() == 4 else F.avg_pool3d(images, 2)


def doubled(images: Tensor) -> Tensor:
    """Nearest-neighbour upsampling by two."""
    return F.interpolate(images, scale_factor=2, mode="nearest")


class SiLU(nn.Module):
    """x * sigmoid(x): in place but while it is learnt through, when what comes in is needed again."""

    def forward(self, images: Tensor) -> Tensor:
        return F.silu(images, inplace=not torch.is_grad_enabled())


class ResidualBlock(nn.Module):
    """Two convolutions with the time embedding between them, around a skip connection.

    Args:
        dims: 2 or 3.
        channels_in: channels that come in.
        channels_out: channels that go out.
        embedding: length of the time embedding.
        groups: groups of the normalisations.
        scale_shift: the embedding scales and shifts (Dhariwal & Nichol 2021, eq. 12) instead of being added.
        resample: None, "down" or "up": both branches change size by two between normalisation and convolution.
        dropout: share of units dropped before the second convolution.
    """

    def __init__(
        self,
        dims: int,
        channels_in: int,
        channels_out: int,
        embedding: int,
        *,
        groups: int,
        scale_shift: bool,
        resample: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.resample = {None: None, "down": halved, "up": doubled}[resample]
        self.in_layers = nn.Sequential(
            nn.GroupNorm(groups, channels_in),
            SiLU(),
            convolution(dims, channels_in, channels_out, 3),
        )
        width = 2 * channels_out if scale_shift else channels_out
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, width))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(groups, channels_out),
            SiLU(),
            nn.Dropout(dropout),
            zeroed(convolution(dims, channels_out, channels_out, 3)),
        )
        same = channels_in == channels_out
        self.skip_connection = nn.Identity() if same else convolution(dims, channels_in, channels_out, 1)

    def forward(self, images: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.in_layers[:2](images)
        if self.resample is not None:
            hidden, images = self.resample(hidden), self.resample(images)
        hidden = self.in_layers[2](hidden)
        signal = self.emb_layers(embedding)
        signal = signal.reshape(*signal.shape, *[1] * (hidden.dim() - 2))
        if self.scale_shift:
            hidden = self.out_layers[1:](_scaled_and_shifted(self.out_layers[0], hidden, *signal.chunk(2, dim=1)))
        else:
            hidden = self.out_layers(hidden + signal)
        return hidden.add_(self._skipped(images))

    def _skipped(self, images: Tensor) -> Tensor:
        # Of few slices on one core torch takes a convolution that is not made for channels that lie last.
        if isinstance(self.skip_connection, nn.Identity) or images.device.type != "cpu" or torch.is_grad_enabled():
            return self.skip_connection(images)
        mixed = _at_each_position(self.skip_connection, images.flatten(2).mT)
        return mixed.mT.unflatten(2, images.shape[2:])


def _scaled_and_shifted(norm: nn.Module, images: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """The images normalised, times 1 + scale, plus shift, both of shape (N, channels, 1, ...).

    Where they are the same for all images, as at one time step, they become part of the normalisation, which saves two
    passes over the memory.
    """
    assert isinstance(norm, nn.GroupNorm)
    factor = 1 + scale
    if len(scale) > 1:
        return torch.addcmul(shift, norm(images), factor)
    weight, bias = norm.weight * factor.flatten(), norm.bias * factor.flatten() + shift.flatten()
    return F.group_norm(images, norm.num_groups, weight, bias, norm.eps)


class AttentionBlock(nn.Module):
    """Self-attention over all positions of an image, added to it."""

    def __init__(self, channels: int, heads: int, *, groups: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, images: Tensor) -> Tensor:
        # Positions before channels, as they lie in memory: fused attention takes nothing else, and without it a slice
        # of a brain took half as long again.
        flat = self.norm(images).flatten(2).mT
        # Each head's query, key and value lie side by side in the layout's fused convolution.
        heads = _at_each_position(self.qkv, flat).unflatten(2, (self.heads, 3, -1))
        query, key, value = heads.transpose(1, 2).unbind(3)
        mixed = attended(query, key, value).transpose(1, 2).flatten(2)
        return images + _at_each_position(self.proj_out, mixed).mT.reshape(images.shape)


def _at_each_position(layer: nn.Module, positions: Tensor) -> Tensor:
    """A convolution of one position's width as the linear layer that it is: (N, positions, channels)."""
    weight, bias = layer.parameters()
    product = F.linear if torch.is_grad_enabled() else linear
    return product(positions, weight.flatten(1), bias)


class ConvolutionDown(nn.Module):
    """Halving by a strided convolution."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.op = convolution(dims, channels, channels, 3, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        return self.op(images)


class ConvolutionUp(nn.Module):
    """Doubling by nearest neighbours and a convolution."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.conv = convolution(dims, channels, channels, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(doubled(images))


class Stage(nn.Sequential):
    """Blocks in a row, of which the residual ones take the time embedding."""

    def forward(self, images: Tensor, embedding: Tensor) -> Tensor:  # type: ignore[override]
        for block in self:
            images = block(images, embedding) if isinstance(block, ResidualBlock) else block(images)
        return images


def time_embedding(time_steps: Tensor, length: int) -> Tensor:
    """Cosines, then sines, of the time steps at geometrically spaced frequencies: shape (N, length)."""
    half = length // 2
    frequencies = 10_000.0 ** (-torch.arange(half, dtype=torch.float32, device=time_steps.device) / half)
    angles = time_steps.float()[:, None] * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)
