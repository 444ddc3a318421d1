"""The denoiser: one U-Net for 2D and 3D whose decoder blocks can be read out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DiffusionSegLib.diffusion.patches import merge_patches, split_patches
from DiffusionSegLib.diffusion.unet_blocks import (
    AttentionBlock,
    ConvolutionDown,
    ConvolutionUp,
    ResidualBlock,
    SiLU,
    Stage,
    convolution,
    time_embedding,
    zeroed,
)


@dataclass(frozen=True)
class UNetConfig:
    """The denoiser's shape.

    Args:
        dims: 2 for slices, 3 for patches of volumes.
        channels_in: channels of an image.
        channels_out: channels of the prediction.
        base_channels: channels of the first level; those of level n are `multipliers[n]` times that.
        multipliers: one factor a level; every level but the last ends in a halving.
        residual_blocks: residual blocks a level in the encoder; the decoder has one more.
        attention_at: halvings-as-factors (1, 2, 4, ...) at which attention follows each residual block.
        head_channels: channels of an attention head, if `heads` is 0.
        heads: number of attention heads.
        residual_resampling: halve and double in residual blocks instead of plain convolutions.
        scale_shift: the time embedding scales and shifts instead of being added.
        groups: groups of the normalisations.
        patch: edge of the pixel blocks that become channels at the input and back at the output.
        classes: number of classes, such as views, that the denoiser is told; 0 for none.
    """

    dims: int = 2
    channels_in: int = 1
    channels_out: int = 1
    base_channels: int = 32
    multipliers: tuple[int, ...] = (1, 2, 3, 4)
    residual_blocks: int = 2
    attention_at: tuple[int, ...] = (4, 8)
    head_channels: int = 32
    heads: int = 0
    residual_resampling: bool = True
    scale_shift: bool = True
    groups: int = 8
    patch: int = 1
    classes: int = 0

    @property
    def reduction(self) -> int:
        """Image sizes must be a multiple of this."""
        return int(self.patch * 2 ** (len(self.multipliers) - 1))

    @property
    def decoder_blocks(self) -> int:
        """How many decoder blocks there are to read out."""
        return len(self.multipliers) * (self.residual_blocks + 1)

    @property
    def decoder_channels(self) -> tuple[int, ...]:
        """Channels that come out of each decoder block."""
        widths = [self.base_channels * multiplier for multiplier in reversed(self.multipliers)]
        return tuple(width for width in widths for _ in range(self.residual_blocks + 1))

    def heads_of(self, channels: int) -> int:
        """How many attention heads so many channels have."""
        return self.heads or max(1, channels // self.head_channels)


class UNet(nn.Module):
    """Predicts the noise (or the velocity) in noised images; layout of Dhariwal & Nichol 2021."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        embedding = 4 * config.base_channels
        pixels = config.patch**config.dims
        self.time_embed = nn.Sequential(
            nn.Linear(config.base_channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )
        if config.classes:
            self.label_emb = nn.Embedding(config.classes, embedding)

        channels = config.base_channels * config.multipliers[0]
        self.input_blocks = nn.ModuleList([Stage(convolution(config.dims, config.channels_in * pixels, channels, 3))])
        skips = [channels]
        for level, multiplier in enumerate(config.multipliers):
            for _ in range(config.residual_blocks):
                width = config.base_channels * multiplier
                self.input_blocks.append(Stage(*self._residual_and_attention(channels, width, level)))
                channels = width
                skips.append(channels)
            if level < len(config.multipliers) - 1:
                self.input_blocks.append(Stage(self._halving(channels)))
                skips.append(channels)

        self.middle_block = Stage(
            self._residual(channels, channels), self._attention(channels), self._residual(channels, channels)
        )

        self.output_blocks = nn.ModuleList()
        self.block_reductions: list[int] = []
        for level, multiplier in reversed(list(enumerate(config.multipliers))):
            for index in range(config.residual_blocks + 1):
                width = config.base_channels * multiplier
                blocks = self._residual_and_attention(channels + skips.pop(), width, level)
                channels = width
                doubles = level > 0 and index == config.residual_blocks
                if doubles:
                    blocks.append(self._doubling(channels))
                self.output_blocks.append(Stage(*blocks))
                self.block_reductions.append(config.patch * 2 ** (level - doubles))

        self.out = nn.Sequential(
            nn.GroupNorm(config.groups, channels),
            SiLU(),
            zeroed(convolution(config.dims, channels, config.channels_out * pixels, 3)),
        )

    def forward(self, images: Tensor, time_steps: Tensor, classes: Tensor | None = None) -> Tensor:
        """The prediction for images of shape (N, channels_in, ...) at integer time steps of shape (N,)."""
        hidden = self._decode(images, time_steps, classes, {}, self.config.decoder_blocks)
        return merge_patches(self.out(hidden), self.config.patch, self.config.dims)

    def activations(
        self, images: Tensor, time_steps: Tensor, classes: Tensor | None, blocks: Collection[int]
    ) -> dict[int, Tensor]:
        """Outputs of the chosen decoder blocks at their own resolution; nothing after the last of them is run.

        Time steps and classes may be of shape (1,) for all images, which is quicker.
        """
        chosen: dict[int, Tensor | None] = dict.fromkeys(blocks)
        self._decode(images, time_steps, classes, chosen, max(blocks) + 1)
        return {block: output for block, output in chosen.items() if output is not None}

    def _decode(
        self,
        images: Tensor,
        time_steps: Tensor,
        classes: Tensor | None,
        chosen: dict[int, Tensor | None],
        stop: int,
    ) -> Tensor:
        embedding = self.time_embed(time_embedding(time_steps, self.config.base_channels).to(images.dtype))
        if classes is not None:
            embedding = embedding + self.label_emb(classes)
        hidden = _laid_out(split_patches(images, self.config.patch, self.config.dims))
        skips = []
        for stage in self.input_blocks:
            hidden = stage(hidden, embedding)
            skips.append(hidden)
        hidden = self.middle_block(hidden, embedding)
        for index in range(stop):
            hidden = self.output_blocks[index](torch.cat([hidden, skips.pop()], dim=1), embedding)
            if index in chosen:
                chosen[index] = hidden
        return hidden

    def _residual(self, channels_in: int, channels_out: int, resample: str | None = None) -> ResidualBlock:
        return ResidualBlock(
            self.config.dims,
            channels_in,
            channels_out,
            4 * self.config.base_channels,
            groups=self.config.groups,
            scale_shift=self.config.scale_shift,
            resample=resample,
        )

    def _attention(self, channels: int) -> AttentionBlock:
        return AttentionBlock(channels, self.config.heads_of(channels), groups=self.config.groups)

    def _residual_and_attention(self, channels_in: int, channels_out: int, level: int) -> list[nn.Module]:
        blocks: list[nn.Module] = [self._residual(channels_in, channels_out)]
        if 2**level in self.config.attention_at:
            blocks.append(self._attention(channels_out))
        return blocks

    def _halving(self, channels: int) -> nn.Module:
        if self.config.residual_resampling:
            return self._residual(channels, channels, "down")
        return ConvolutionDown(self.config.dims, channels)

    def _doubling(self, channels: int) -> nn.Module:
        if self.config.residual_resampling:
            return self._residual(channels, channels, "up")
        return ConvolutionUp(self.config.dims, channels)


def _laid_out(images: Tensor) -> Tensor:
    """The images in the order of memory in which what follows is quickest.

    With channels last a slice of a brain takes a tenth less time on a CPU; CUDA's group normalisation puts them first
    again.
    """
    on_cpu = images.device.type == "cpu" and images.dim() == 4
    return images.contiguous(memory_format=torch.channels_last) if on_cpu else images
