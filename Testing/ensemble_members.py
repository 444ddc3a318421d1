"""A small ensemble, and its members as ordinary networks."""

from __future__ import annotations

import torch
from torch import nn

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble


def one_by_one(ensemble: MlpEnsemble, member: int) -> nn.Sequential:
    """A member as an ordinary network of torch's own layers."""
    layers: list[nn.Module] = []
    for layer, weight in enumerate(ensemble.weights):
        linear = nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data = weight[member].T
        linear.bias.data = ensemble.biases[layer][member, 0]
        layers.append(linear)
        if layer < len(ensemble.hidden):
            norm = nn.BatchNorm1d(weight.shape[2])
            norm.weight.data, norm.bias.data = ensemble.gains[layer][member, 0], ensemble.shifts[layer][member, 0]
            norm.running_mean = ensemble.get_buffer(f"mean_{layer}")[member, 0].clone()
            norm.running_var = ensemble.get_buffer(f"variance_{layer}")[member, 0].clone()
            layers += [nn.ReLU(), norm]
    return nn.Sequential(*layers)


def an_ensemble() -> MlpEnsemble:
    torch.manual_seed(0)
    ensemble = MlpEnsemble(3, 5, (7, 4), 6)
    for layer in range(2):
        ensemble.get_buffer(f"mean_{layer}").normal_()
        ensemble.get_buffer(f"variance_{layer}").uniform_(0.5, 2)
        ensemble.gains[layer].data.normal_()
        ensemble.shifts[layer].data.normal_()
    return ensemble
