"""Activations on the device that computes, where they fit."""

from __future__ import annotations

import torch

from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.memory_shortage import is_memory_shortage

# The rest is for what is computed from them.
SHARE_OF_FREE_MEMORY = 0.5


def on_device(views: tuple[ViewActivations, ...], device: torch.device) -> tuple[ViewActivations, ...]:
    """The views, those that fit with their activations on `device`; tiles of the others are copied as they come.

    A copy at once takes a fraction of the time of thousands of small ones.
    """
    if device.type != "cuda":
        return views
    budget = SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]
    return tuple(_on_device_within(views, device, budget))


def _on_device_within(views: tuple[ViewActivations, ...], device: torch.device, budget: float) -> list[ViewActivations]:
    found = []
    for view in views:
        size = sum(level.numel() * level.element_size() for level in view.levels.values())
        if size > budget:
            found.append(view)
            continue
        try:
            levels = {reduction: level.to(device) for reduction, level in view.levels.items()}
        except (RuntimeError, MemoryError) as error:
            if not is_memory_shortage(error):
                raise
            found.append(view)
            continue
        found.append(ViewActivations(view.axis, levels))
        budget -= size
    return found
