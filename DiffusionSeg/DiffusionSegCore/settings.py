"""With what the worker computes, kept in the scene."""

from __future__ import annotations

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
    def keep_largest(self) -> bool:
        """Whether only the largest connected part of each structure is kept."""
        return bool(self._state.value("KeepLargest", False))

    @keep_largest.setter
    def keep_largest(self, kept: bool) -> None:
        self._state.set_value("KeepLargest", kept)
