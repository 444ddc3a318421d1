"""Members of the ensemble while they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.normalised_layer import NormalisedLayer
from DiffusionSegLib.segmenter.quick_products import lowered, product


@dataclass(frozen=True, eq=False)
class MemberBatches:
    """What each member learns from in a step.

    Args:
        features: shape (members, N, features), in single precision or `lowered`.
        counts: how much each feature counts (members, features, 1); 0 for what is hidden.
        targets: class numbers (members, N, 1).
    """

    features: Tensor
    counts: Tensor
    targets: Tensor


class LearningMembers:
    """The parameters of an ensemble's members laid out for training, and their gradients.

    Gradients are written out, because at this size automatic differentiation takes longer than what it differentiates.

    Args:
        ensemble: what training starts from; it is left as it is.
    """

    def __init__(self, ensemble: MlpEnsemble) -> None:
        values = [ensemble.weights[0], ensemble.biases[0]]
        for layer in range(len(ensemble.hidden)):
            values += [ensemble.gains[layer], ensemble.shifts[layer]]
            values += [ensemble.weights[layer + 1], ensemble.biases[layer + 1]]
        # One vector, so that the optimizer has one tensor to update.
        self.parameters = torch.cat([value.detach().flatten() for value in values]).requires_grad_()
        self.parameters.grad = torch.zeros_like(self.parameters)
        of_values, of_gradients = (
            _views(vector, values) for vector in (self.parameters.detach(), self.parameters.grad)
        )
        (self.first, self.first_bias), (self.of_first, self.of_first_bias) = of_values[:2], of_gradients[:2]
        self.layers = [
            NormalisedLayer(
                of_values[start : start + 4],
                of_gradients[start : start + 4],
                [ensemble.get_buffer(f"{name}_{layer}").clone() for name in ("mean", "variance")],
            )
            for layer, start in enumerate(range(2, len(values), 4))
        ]

    @torch.no_grad()
    def learn(self, batches: MemberBatches) -> Tensor:
        """The probability that each voxel's class was given (members, N, 1).

        The gradient of the members' cross-entropies, each a mean over its voxels, is left in `parameters.grad`.
        """
        inputs = lowered(batches.features)
        # Weights are far fewer than features: it is in them that some are hidden.
        outputs = product(inputs, lowered(self.first * batches.counts)).add_(self.first_bias)
        for layer in self.layers:
            outputs = layer.forward(outputs)
        probabilities = outputs.softmax(-1)
        given = probabilities.gather(-1, batches.targets)
        gradient = _of_cross_entropy(probabilities, batches.targets)
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        torch.sum(gradient, 1, keepdim=True, out=self.of_first_bias)
        torch.mul(product(inputs.mT, lowered(gradient)), batches.counts, out=self.of_first)
        return given

    def ensemble(self) -> MlpEnsemble:
        """What was learnt so far, a copy in the form that predicts."""
        members, features, first = self.first.shape
        _, second, classes = self.layers[-1].weight.shape
        found = MlpEnsemble(members, features, (first, second), classes).to(self.first)
        found.load_state_dict(self._state())
        return found.eval().requires_grad_(False)

    def _state(self) -> dict[str, Tensor]:
        """What was learnt so far, named as in an `MlpEnsemble`."""
        found = {"weights.0": self.first, "biases.0": self.first_bias}
        for number, layer in enumerate(self.layers):
            found |= {f"gains.{number}": layer.gain, f"shifts.{number}": layer.shift}
            found |= {f"weights.{number + 1}": layer.weight, f"biases.{number + 1}": layer.bias}
            found |= {f"mean_{number}": layer.mean, f"variance_{number}": layer.variance}
        return found


def _of_cross_entropy(probabilities: Tensor, targets: Tensor) -> Tensor:
    """The logits' gradient (members, N, classes), in the place of the probabilities; targets (members, N, 1)."""
    share = 1 / targets.shape[1]
    gradient = probabilities.mul_(share)
    return gradient.scatter_add_(-1, targets, gradient.new_full((1, 1, 1), -share).expand(targets.shape))


def _views(vector: Tensor, values: Sequence[Tensor]) -> list[Tensor]:
    """The parts of a vector that hold the values, in their shapes."""
    parts = vector.split([value.numel() for value in values])
    return [part.view(value.shape) for part, value in zip(parts, values, strict=True)]
