"""The denoiser's convolutions on their own: what features would take if nothing else had to be done."""

from __future__ import annotations

import math
from collections import Counter
from threading import Lock
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from DiffusionSegLib.benchmark.speed.machine_rates import best_seconds
from DiffusionSegLib.diffusion.unet_blocks import AttentionBlock

REPEATS = 2
Shape = tuple[int, ...]


class ConvolutionLog:
    """Notes which convolutions run on which shapes while it is entered, whichever network they belong to.

    It also counts their operations, and those of the networks' attention, a multiplication and an addition as two.
    """

    def __init__(self) -> None:
        self.calls: Counter[tuple[nn.Module, Shape, Shape, torch.dtype]] = Counter()
        self.operations = self.attention_operations = 0
        self._one_at_a_time = Lock()

    def __enter__(self) -> ConvolutionLog:
        # Of all modules, because a GPU computes with copies of the denoisers in half precision.
        self._hook = register_module_forward_pre_hook(self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hook.remove()

    def _note(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        # A crew's threads come here at the same time.
        with self._one_at_a_time:
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                images = inputs[0]
                self.calls[layer, tuple(images.shape), images.stride(), images.dtype] += 1
                pixels = len(images) * images.shape[2:].numel() // math.prod(layer.stride)
                self.operations += 2 * pixels * layer.weight.numel()
            elif isinstance(layer, AttentionBlock):
                self.attention_operations += _operations_of_attention(inputs[0].shape)

    @property
    def relative_operations(self) -> float:
        """How many times as many operations the networks have as their convolutions alone."""
        return 1 + self.attention_operations / self.operations

    @torch.inference_mode()
    def best_seconds(self, device: torch.device) -> float:
        """The sum over all noted calls of the shortest time of that convolution alone, on the same memory layout."""
        fastest: dict[tuple[object, ...], float] = {}
        total = 0.0
        for (layer, shape, stride, dtype), calls in self.calls.items():
            # Time steps differ in nothing that a convolution's duration depends on, nor do layers of one shape.
            key = (tuple(layer.get_parameter("weight").shape), layer.extra_repr(), shape, stride, dtype)
            if key not in fastest:
                images = torch.empty_strided(shape, stride, dtype=dtype, device=device).normal_()
                fastest[key] = best_seconds(lambda: layer(images), device, REPEATS)  # noqa: B023
            total += calls * fastest[key]
        return total


def _operations_of_attention(shape: torch.Size) -> int:
    """Those of its two linear layers, and of each position beside each other one, twice; for images (N, C, ...)."""
    count, channels, positions = shape[0], shape[1], shape[2:].numel()
    return 4 * count * positions * channels * (2 * channels + positions)
