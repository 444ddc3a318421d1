"""Which floating-point numbers compute, and where they end."""

from __future__ import annotations

import torch
from torch import Tensor

# Beyond this, half precision says infinity.
LARGEST_HALF = torch.finfo(torch.float16).max
# Graphics processors compute with bfloat16 from this capability (Ampere) on.
BFLOAT16_CAPABILITY = (8, 0)


def inference_precision(device: torch.device, kept_as: torch.dtype) -> torch.dtype:
    """What a denoiser computes in whose activations are kept in a precision.

    On a GPU half precision, unless what is kept is more precise. Of the bundle brain-t1 the largest value within the
    network is 38, and its activations of six real slices differ from those in single precision by 0.1 to 0.3 % of a
    channel's standard deviation (root mean square; at most 2 %), where bfloat16 takes 0.7 to 1.9 % (at most 14 %).
    """
    reduced = device.type == "cuda" and kept_as == torch.float16
    return torch.float16 if reduced else torch.float32


def trains_in_bfloat16(device: torch.device) -> bool:
    """Whether products of a training are taken in bfloat16, which needs no scaling of the loss; else in float32."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= BFLOAT16_CAPABILITY


def converted(values: Tensor, precision: torch.dtype) -> Tensor:
    """The values in a precision; those that it has no number for become the nearest that it has."""
    if precision == torch.float16 and values.dtype != torch.float16:
        values = values.clamp(-LARGEST_HALF, LARGEST_HALF)
    return values.to(precision)
