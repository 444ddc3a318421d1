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
        features: float32 (members, N, columns).
        columns: which of the features these are (members, columns).
        targets: class numbers (members, N).
    """

    features: Tensor
    columns: Tensor
    targets: Tensor


class LearningMembers:
    """The parameters of some of an ensemble's members laid out for training, and their gradients.

    Gradients are written out, because at this size automatic differentiation takes longer than what it differentiates.

    Args:
        ensemble: what training starts from; it is left as it is.
        members: which of its members these are.
    """

    def __init__(self, ensemble: MlpEnsemble, members: slice) -> None:
        values = [ensemble.weights[0][members], ensemble.biases[0][members]]
        for layer in range(len(ensemble.hidden)):
            places = (ensemble.gains[layer], ensemble.shifts[layer])
            values += [value[members] for value in (*places, ensemble.weights[layer + 1], ensemble.biases[layer + 1])]
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
                [ensemble.get_buffer(f"{name}_{layer}")[members].clone() for name in ("mean", "variance")],
            )
            for layer, start in enumerate(range(2, len(values), 4))
        ]

    @torch.no_grad()
    def learn(self, batches: MemberBatches) -> Tensor:
        """The loss of each member (members,); the gradient of their sum is left in `parameters.grad`."""
        members, features, width = self.first.shape
        rows = torch.arange(0, members * features, features, device=batches.columns.device)[:, None] + batches.columns
        seen = self.first.flatten(0, 1).index_select(0, rows.flatten()).view(members, -1, width)
        inputs = lowered(batches.features)
        outputs = product(inputs, lowered(seen)).add_(self.first_bias)
        for layer in self.layers:
            outputs = layer.forward(outputs)
        losses, gradient = _cross_entropy(outputs, batches.targets[..., None])
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        torch.sum(gradient, 1, keepdim=True, out=self.of_first_bias)
        of_seen = product(inputs.mT, lowered(gradient))
        # What was hidden has none.
        self.of_first.zero_().flatten(0, 1).index_copy_(0, rows.flatten(), of_seen.flatten(0, 1))
        return losses

    def state(self) -> dict[str, Tensor]:
        """What was learnt so far, named as in an `MlpEnsemble` of these members."""
        found = {"weights.0": self.first, "biases.0": self.first_bias}
        for number, layer in enumerate(self.layers):
            found |= {f"gains.{number}": layer.gain, f"shifts.{number}": layer.shift}
            found |= {f"weights.{number + 1}": layer.weight, f"biases.{number + 1}": layer.bias}
            found |= {f"mean_{number}": layer.mean, f"variance_{number}": layer.variance}
        return found


def ensemble_of(parts: Sequence[LearningMembers]) -> MlpEnsemble:
    """What all members learnt so far, a copy in the form that predicts."""
    states = [part.state() for part in parts]
    state = {name: torch.cat([of_part[name] for of_part in states]) for name in states[0]}
    members, features, first = state["weights.0"].shape
    _, second, classes = state["weights.2"].shape
    found = MlpEnsemble(members, features, (first, second), classes).to(state["biases.0"])
    found.load_state_dict(state)
    return found.eval().requires_grad_(False)


def _cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Each member's mean loss, and its gradient in the logits' place (members, N, classes); targets (members, N, 1)."""
    likelihoods = logits.log_softmax(-1)
    losses = -likelihoods.gather(-1, targets).mean((1, 2))
    share = 1 / targets.shape[1]
    gradient = likelihoods.exp_().mul_(share)
    return losses, gradient.scatter_add_(-1, targets, gradient.new_full((1, 1, 1), -share).expand(targets.shape))


def _views(vector: Tensor, values: Sequence[Tensor]) -> list[Tensor]:
    """The parts of a vector that hold the values, in their shapes."""
    parts = vector.split([value.numel() for value in values])
    return [part.view(value.shape) for part, value in zip(parts, values, strict=True)]
