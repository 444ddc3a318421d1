"""Linear layers of many rows, by the library that is quickest at them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None, *, relu: bool = False) -> Tensor:
    """A linear layer, and a ReLU if told; without gradients.

    With AVX-512 oneDNN takes the products: MKL, which torch chooses, was measured to leave half of an AMD processor
    idle (100 of 220 GFLOP/s on a core, for 4096 rows and 64 units). Which of the two does not depend on a measurement
    of the moment, so that the same numbers come out every time. Another number of rows costs oneDNN a millisecond the
    first time.

    Args:
        inputs: shape (..., width in).
        weight: shape (width out, width in).
        bias: shape (width out,).
        relu: whether what is negative becomes 0.
    """
    product = _one_dnn()
    if product is not None and inputs.shape[-1] and is_for_one_dnn(inputs):
        return product(inputs, weight.contiguous(), bias, "relu" if relu else "none", [], "")
    found = F.linear(inputs, weight, bias)
    return found.relu_() if relu else found


def is_for_one_dnn(inputs: Tensor) -> bool:
    """Whether it is oneDNN that computes products of these."""
    return inputs.device.type == "cpu" and inputs.dtype == torch.float32 and _one_dnn() is not None


@cache
def _one_dnn() -> Callable[..., Tensor] | None:
    """The operator that torch's own compiler uses for linear layers, where it is there, right and worth it."""
    capability = getattr(torch.backends, "cpu", None)
    if capability is None or capability.get_cpu_capability() != "AVX512" or not torch.backends.mkldnn.is_available():
        return None
    try:
        product = torch.ops.mkldnn._linear_pointwise.default
        inputs, weight, bias = torch.eye(3), torch.arange(6.0).reshape(2, 3) - 3, torch.tensor([1.0, 2.0])
        with torch.no_grad():
            found = product(inputs, weight, bias, "relu", [], "")
    # Another version of torch may lack it or take other arguments.
    except (AttributeError, RuntimeError, TypeError):
        return None
    return product if torch.equal(found, F.linear(inputs, weight, bias).relu()) else None
