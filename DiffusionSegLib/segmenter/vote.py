"""What the members of an ensemble say together, each with one voice."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.consensus import Consensus


class Vote(Consensus):
    """Shares of the members whose most probable class it is; their disagreement is that of their probabilities."""

    def __init__(self, like: Tensor) -> None:
        super().__init__(like)
        self.votes = torch.zeros_like(like)
        self._voice = torch.ones_like(like[:1])

    def add(self, logits: Tensor) -> None:
        """Count a member's logits (classes, N), which are overwritten; of equal ones the first has its voice."""
        self.votes.scatter_add_(0, logits.argmax(0, keepdim=True), self._voice)
        super().add(logits)

    def probabilities(self) -> Tensor:
        """The share of the members that voted for each class (classes, N)."""
        return self.votes / self.members
