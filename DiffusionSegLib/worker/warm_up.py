"""Loading early what would otherwise be loaded in the middle of a call."""

from __future__ import annotations

import torch


def load_for_training() -> None:
    """Load what torch loads only when something is trained: that takes seconds in which no cancel could be obeyed."""
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
