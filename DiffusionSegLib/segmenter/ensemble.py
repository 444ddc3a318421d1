"""Many small MLPs as one batched network."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

EPSILON = 1e-5


class MlpEnsemble(nn.Module):
    """Independent MLPs, linear - ReLU - batch norm - linear - ReLU - batch norm - linear, computed together.

    They learn as a `SharedBatchNetwork`.

    Args:
        members: number of MLPs.
        features: length of a voxel's feature vector.
        hidden: widths of the two hidden layers.
        classes: number of classes.
    """

    def __init__(self, members: int, features: int, hidden: tuple[int, int], classes: int) -> None:
        super().__init__()
        widths = [features, *hidden, classes]
        self.members, self.hidden, self.classes = members, hidden, classes
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for width_in, width_out in itertools.pairwise(widths):
            bound = 1 / math.sqrt(width_in)
            self.weights.append(torch.empty(members, width_in, width_out).uniform_(-bound, bound))
            self.biases.append(torch.empty(members, 1, width_out).uniform_(-bound, bound))
        self.gains = nn.ParameterList(torch.ones(members, 1, width) for width in hidden)
        self.shifts = nn.ParameterList(torch.zeros(members, 1, width) for width in hidden)
        for layer, width in enumerate(hidden):
            self.register_buffer(f"mean_{layer}", torch.zeros(members, 1, width))
            self.register_buffer(f"variance_{layer}", torch.ones(members, 1, width))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (members, N, classes) of features (members, N, features), a batch for each member."""
        return self.after_first_layer(torch.baddbmm(self.biases[0], features, self.weights[0]))

    def after_first_layer(self, hidden: Tensor, members: slice = slice(None)) -> Tensor:
        """Logits (members, N, classes) from the first layers' outputs (members, N, hidden[0]), before their ReLU.

        `members` tells which of them these are.
        """
        for layer in range(len(self.hidden)):
            hidden = hidden.relu()
            scale, shift = self._normalisation(layer, members)
            weight, bias = self.weights[layer + 1][members], self.biases[layer + 1][members]
            # Folded into the next layer, the normalisation spares two passes over all hidden units. Exact but for
            # rounding.
            hidden = torch.baddbmm(bias + shift @ weight, hidden, scale.mT * weight)
        return hidden

    def _normalisation(self, layer: int, members: slice) -> tuple[Tensor, Tensor]:
        """Factor and summand (members, 1, width) of the batch norm, by the means over the batches of training."""
        mean, variance = (self.get_buffer(f"{name}_{layer}")[members] for name in ("mean", "variance"))
        scale = self.gains[layer][members] * torch.rsqrt(variance + EPSILON)
        return scale, self.shifts[layer][members] - mean * scale


def mean_probabilities(logits: Tensor) -> Tensor:
    """Mean of the members' probabilities: (N, classes) from logits (members, N, classes)."""
    return logits.softmax(-1).mean(0)
