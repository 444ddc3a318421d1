"""The ensemble while it learns: members that see the same voxels of a step are one wide network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.normalised_layer import NormalisedLayer


@dataclass(frozen=True, eq=False)
class GroupBatch:
    """What the members of a group learn from in a step.

    Args:
        features: float32 (N, columns).
        columns: which of the features these are (columns,).
        targets: class numbers (N,).
    """

    features: Tensor
    columns: Tensor
    targets: Tensor


class SharedBatchNetwork:
    """An ensemble's parameters laid out for training, and their gradients.

    A batch that members share is drawn and gathered once, and their first layers, where most of the operations are,
    become one product over the features that they see. Gradients are written out, because at this size automatic
    differentiation takes longer than what it differentiates.

    Args:
        ensemble: what training starts from; it is left as it is.
        groups: how many groups of members there are, each with batches of its own.
    """

    def __init__(self, ensemble: MlpEnsemble, groups: int) -> None:
        self.members, self.hidden, self.classes = ensemble.members, ensemble.hidden, ensemble.classes
        self.groups = torch.arange(self.members).tensor_split(groups)
        width = ensemble.hidden[0]
        first = [ensemble.weights[0].detach()[of_group].permute(1, 0, 2).flatten(1) for of_group in self.groups]
        values = [*first, ensemble.biases[0].detach().flatten()]
        for layer in range(len(self.hidden)):
            places = (ensemble.gains[layer], ensemble.shifts[layer])
            values += [*places, ensemble.weights[layer + 1], ensemble.biases[layer + 1]]
        # One vector, so that the optimizer has one tensor to update.
        self.parameters = torch.cat([value.detach().flatten() for value in values]).requires_grad_()
        self.parameters.grad = torch.zeros_like(self.parameters)
        of_values, of_gradients = (
            _views(vector, values) for vector in (self.parameters.detach(), self.parameters.grad)
        )
        count = len(first)
        self.first, self.of_first = of_values[:count], of_gradients[:count]
        self.of_all_first = self.parameters.grad[: sum(weight.numel() for weight in first)]
        self.first_bias, self.of_first_bias = of_values[count], of_gradients[count]
        self.layers = [
            NormalisedLayer(
                of_values[start : start + 4],
                of_gradients[start : start + 4],
                [ensemble.get_buffer(f"{name}_{layer}").clone() for name in ("mean", "variance")],
            )
            for layer, start in enumerate(range(count + 1, len(values), 4))
        ]
        edges = [0, *itertools.accumulate(len(of_group) * width for of_group in self.groups)]
        self.spans = [slice(*edge) for edge in itertools.pairwise(edges)]

    @torch.no_grad()
    def learn(self, batches: Sequence[GroupBatch]) -> Tensor:
        """The mean loss of all members, whose gradient is left in `parameters.grad`; one batch a group, of one size."""
        hidden = self.first[0].new_empty(len(batches[0].targets), len(self.first_bias))
        for batch, weight, span in zip(batches, self.first, self.spans, strict=True):
            seen = weight.index_select(0, batch.columns)
            torch.addmm(self.first_bias[span], batch.features, seen, out=hidden[:, span])
        outputs = hidden.view(len(hidden), self.members, -1).transpose(0, 1)
        for layer in self.layers:
            outputs = layer.forward(outputs)
        targets = torch.cat([batch.targets.expand(len(of), -1) for batch, of in zip(batches, self.groups, strict=True)])
        loss, gradient = _cross_entropy(outputs, targets[..., None])
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        wide = gradient.transpose(0, 1).flatten(1)
        # What was hidden has none.
        self.of_all_first.zero_()
        torch.sum(wide, 0, out=self.of_first_bias)
        for batch, of_weight, span in zip(batches, self.of_first, self.spans, strict=True):
            of_weight.index_copy_(0, batch.columns, batch.features.T @ wide[:, span])
        return loss

    def ensemble(self) -> MlpEnsemble:
        """What was learnt so far, a copy in the form that predicts."""
        found = MlpEnsemble(self.members, len(self.first[0]), self.hidden, self.classes).to(self.first_bias)
        first = [weight.unflatten(1, (-1, self.hidden[0])).permute(1, 0, 2) for weight in self.first]
        state = {"weights.0": torch.cat(first), "biases.0": self.first_bias.view(self.members, 1, -1)}
        for number, layer in enumerate(self.layers):
            state |= {f"gains.{number}": layer.gain, f"shifts.{number}": layer.shift}
            state |= {f"weights.{number + 1}": layer.weight, f"biases.{number + 1}": layer.bias}
            state |= {f"mean_{number}": layer.mean, f"variance_{number}": layer.variance}
        found.load_state_dict(state)
        return found.eval().requires_grad_(False)


def _cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The mean loss, and its gradient in the place of the logits (members, N, classes); targets (members, N, 1)."""
    likelihoods = logits.log_softmax(-1)
    loss = -likelihoods.gather(-1, targets).mean()
    share = 1 / targets.numel()
    gradient = likelihoods.exp_().mul_(share)
    return loss, gradient.scatter_add_(-1, targets, gradient.new_full((1, 1, 1), -share).expand(targets.shape))


def _views(vector: Tensor, values: Sequence[Tensor]) -> list[Tensor]:
    """The parts of a vector that hold the values, in their shapes."""
    parts = vector.split([value.numel() for value in values])
    return [part.view(value.shape) for part, value in zip(parts, values, strict=True)]
