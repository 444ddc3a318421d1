"""Where the members of the ensemble disagree."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def disagreement(logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence of the members, as a share of its largest possible value.

    Args:
        logits: shape (members, N, classes).

    Returns:
        Shape (N,), from 0 where all agree to 1: the entropy of the mean less the mean entropy
        (Baranchuk et al. 2022, section 4.2).
    """
    members, _, classes = logits.shape
    largest = math.log(min(members, classes))
    if largest == 0:
        return logits.new_zeros(logits.shape[1])
    logs = logits.log_softmax(-1)
    probabilities = logs.exp()
    mean_entropy = -(probabilities * logs).sum(-1).mean(0)
    entropy_of_mean = torch.special.entr(probabilities.mean(0)).sum(-1)
    return ((entropy_of_mean - mean_entropy) / largest).clamp(0, 1)
