"""A linear layer that looks at few directions only, taken apart."""

from __future__ import annotations

import torch
from torch import Tensor

# Singular values below this share of the largest are what single precision rounds by.
NOTHING = 1e-6
# With more directions than an eighth of the units, another matrix product costs more than it spares.
UNITS_A_DIRECTION = 8


def few_directions(weight: Tensor) -> tuple[Tensor, Tensor] | None:
    """Two thin layers that are this one together, exact but for rounding; None where these would not be cheaper.

    Args:
        weight: shape (channels, units).

    Returns:
        Shapes (channels, directions) and (directions, units).
    """
    channels, units = weight.shape
    exact = weight.double()
    # The smaller of the two matrices of products: its eigenvalues are the squares of the layer's singular values.
    values, vectors = torch.linalg.eigh(exact @ exact.T if channels <= units else exact.T @ exact)
    chosen = vectors[:, values > NOTHING**2 * values[-1]]
    if chosen.shape[1] * UNITS_A_DIRECTION > units:
        return None
    first, second = (chosen, chosen.T @ exact) if channels <= units else (exact @ chosen, chosen.T)
    return first.to(weight.dtype), second.to(weight.dtype)
