"""The denoiser's convolutions on their own: what features would take if nothing else had to be done."""

from __future__ import annotations

from collections import Counter
from types import TracebackType

import torch
from torch import Tensor, nn

from DiffusionSegLib.benchmark.speed.machine_rates import best_seconds

REPEATS = 2
Shape = tuple[int, ...]


class ConvolutionLog:
    """Notes which convolutions run on which shapes while it is entered.

    Args:
        network: whose convolutions.
    """

    def __init__(self, network: nn.Module) -> None:
        self.layers = [module for module in network.modules() if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d)]
        self.calls: Counter[tuple[nn.Module, Shape, Shape, torch.dtype]] = Counter()

    def __enter__(self) -> ConvolutionLog:
        self._hooks = [layer.register_forward_pre_hook(self._note) for layer in self.layers]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def _note(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        images = inputs[0]
        self.calls[layer, tuple(images.shape), images.stride(), images.dtype] += 1

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
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    fastest[key] = best_seconds(lambda: layer(images), device, REPEATS)  # noqa: B023
            total += calls * fastest[key]
        return total
