"""Many small MLPs as one batched network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from DiffusionSegLib.linear_layer import linear

EPSILON = 1e-5
# Weight (width out, width in) and bias (width out,).
FoldedLayer = tuple[Tensor, Tensor]


class MlpEnsemble(nn.Module):
    """Independent MLPs, linear - ReLU - batch norm - linear - ReLU - batch norm - linear, computed together.

    They learn as `LearningMembers`.

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
        logits = [
            after_first_layer(linear(batch, weight.T, bias[0]), layers).T
            for batch, weight, bias, layers in zip(
                features, self.weights[0], self.biases[0], self.folded_layers(), strict=True
            )
        ]
        return torch.stack(logits)

    def first_layer(self) -> tuple[Tensor, Tensor]:
        """Weight (features, members * width) and bias (members * width,) of all first layers as one."""
        return self.weights[0].permute(1, 0, 2).flatten(1), self.biases[0].flatten()

    def with_first_weights(self, weights: Tensor) -> MlpEnsemble:
        """The same but for the first layers' weights (members, features, hidden units), of any number of features."""
        found = MlpEnsemble(self.members, weights.shape[1], self.hidden, self.classes).to(weights)
        found.load_state_dict({**self.state_dict(), "weights.0": weights})
        return found.train(self.training).requires_grad_(False)

    def folded_layers(self) -> list[list[FoldedLayer]]:
        """Each member's layers after the first, with the batch norm before each folded in; exact but for rounding."""
        found: list[list[FoldedLayer]] = [[] for _ in range(self.members)]
        for layer, (weight, bias) in enumerate(zip(self.weights[1:], self.biases[1:], strict=True)):
            scale = self.gains[layer] * torch.rsqrt(self.get_buffer(f"variance_{layer}") + EPSILON)
            shift = self.shifts[layer] - self.get_buffer(f"mean_{layer}") * scale
            weights, biases = (scale.mT * weight).mT.contiguous(), (bias + shift @ weight)[:, 0]
            for of_member, folded in zip(found, zip(weights, biases, strict=True), strict=True):
                of_member.append(folded)
        return found


def after_first_layer(hidden: Tensor, layers: Sequence[FoldedLayer]) -> Tensor:
    """Logits of one member (classes, N) from the outputs of its first layer, before their ReLU.

    The logits of a class lie side by side: what follows them goes over many voxels at a time.

    Args:
        hidden: shape (N, hidden units); overwritten.
        layers: those after the first.
    """
    *between, (weight, bias) = layers
    hidden.relu_()
    for other_weight, other_bias in between:
        hidden = linear(hidden, other_weight, other_bias, relu=True)
    return linear(weight, hidden).add_(bias[:, None])


def mean_probabilities(logits: Tensor) -> Tensor:
    """Mean of the members' probabilities: (N, classes) from logits (members, N, classes)."""
    return logits.softmax(-1).mean(0)
