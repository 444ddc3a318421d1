"""What the members of an ensemble say together, and where they disagree."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Consensus:
    """Mean probabilities and disagreement, from one member's logits after the other.

    Classes come before voxels, so that everything is a pass along many voxels; a member's logits are small enough to
    stay in the cache meanwhile.

    Args:
        like: a tensor (classes, N) of the logits' kind.
    """

    def __init__(self, like: Tensor) -> None:
        self.members = 0
        self.summed, self.entropies = torch.zeros_like(like), torch.zeros_like(like[0])

    def add(self, logits: Tensor) -> None:
        """Count a member's logits (classes, N), which are overwritten."""
        logits -= logits.amax(0)
        weights = logits.exp()
        total = weights.sum(0)
        self.entropies += total.log() - logits.mul_(weights).sum(0) / total
        self.summed.addcmul_(weights, total.reciprocal())
        self.members += 1

    def probabilities(self) -> Tensor:
        """The mean of the members' probabilities (classes, N)."""
        return self.summed / self.members

    def disagreement(self) -> Tensor:
        """Jensen-Shannon divergence of the members as a share of its largest possible value (N,).

        From 0 where all agree to 1: the entropy of the mean less the mean entropy (Baranchuk et al. 2022, section 4.2).
        """
        largest = math.log(min(self.members, len(self.summed)))
        if largest == 0:
            return torch.zeros_like(self.entropies)
        entropy_of_mean = torch.special.entr(self.summed / self.members).sum(0)
        return ((entropy_of_mean - self.entropies / self.members) / largest).clamp(0, 1)
