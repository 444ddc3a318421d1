"""Activations on the device that computes, where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import torch

from DiffusionSegLib.devices import give_back_cache
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.memory_shortage import is_memory_shortage

# The rest is for what is computed from them.
SHARE_OF_FREE_MEMORY = 0.5


class DeviceTier:
    """Copies of the views of the scan that is worked on, so that previews one after the other need but one.

    They go when others are asked for, or when nobody holds the views any more.
    """

    def __init__(self) -> None:
        # Where a view's copy lies, and the copy; None if it did not fit.
        self._copies: WeakKeyDictionary[ViewActivations, tuple[torch.device, ViewActivations | None]]
        self._copies = WeakKeyDictionary()

    def on_device(self, views: tuple[ViewActivations, ...], device: torch.device) -> tuple[ViewActivations, ...]:
        """The views, those that fit with their activations on `device`; tiles of the others are copied as they come.

        A copy at once takes a fraction of the time of thousands of small ones.
        """
        if device.type != "cuda":
            return views
        if any(view not in self._copies or self._copies[view][0] != device for view in views):
            self.clear()
            give_back_cache(device)
            budget = SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]
            copies = copied_within(views, device, budget)
            self._copies.update((view, (device, copy)) for view, copy in zip(views, copies, strict=True))
        return tuple(self._copies[view][1] or view for view in views)

    def clear(self) -> None:
        """Make room."""
        self._copies.clear()


# What a process has on its GPU.
DEVICE_TIER = DeviceTier()


def copied_within(
    views: Sequence[ViewActivations], device: torch.device, budget: float
) -> list[ViewActivations | None]:
    """Copies of the views on a device, of at most so many bytes together; None for each that does not fit."""
    found: list[ViewActivations | None] = []
    for view in views:
        copy = _copied(view, device) if view.bytes <= budget else None
        found.append(copy)
        budget -= 0 if copy is None else view.bytes
    return found


def _copied(view: ViewActivations, device: torch.device) -> ViewActivations | None:
    try:
        return ViewActivations(view.axis, {reduction: level.to(device) for reduction, level in view.levels.items()})
    except (RuntimeError, MemoryError) as error:
        if not is_memory_shortage(error):
            raise
    return None
