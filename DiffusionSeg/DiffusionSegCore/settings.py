"""With what the worker computes, kept in the scene."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegCore.scene_state import SceneState

DEFAULT_BUNDLE = "brain-t1"
DEFAULT_DEVICE = "auto"


class Settings:
    """Bundle, device and clean-up.

    Args:
        state: where they are kept.
    """

    def __init__(self, state: SceneState) -> None:
        self._state = state

    @property
    def bundle(self) -> str:
        """The denoisers: a bundle's name or folder."""
        return self._state.value("Bundle", DEFAULT_BUNDLE)

    @bundle.setter
    def bundle(self, bundle: str) -> None:
        self._state.set_value("Bundle", bundle)

    @property
    def device(self) -> str:
        """What computes: "auto", "cpu" or "cuda"."""
        return self._state.value("Device", DEFAULT_DEVICE)

    @device.setter
    def device(self, device: str) -> None:
        self._state.set_value("Device", device)

    @property
    def keep_largest(self) -> list[int]:
        """Label values of which only the largest connected part is kept."""
        return self._state.value("KeepLargest", [])

    @keep_largest.setter
    def keep_largest(self, values: Sequence[int]) -> None:
        self._state.set_value("KeepLargest", [int(value) for value in values])
