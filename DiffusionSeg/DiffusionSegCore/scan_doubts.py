"""Why structures of the chosen scan may be missed, as the worker has told last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from DiffusionSegCore.call_sequence import Step
from DiffusionSegCore.input_volume import InputVolume


class ScanDoubts:
    """What was told of one scan; of a scan that got other voxels, or with another model, nothing is known."""

    def __init__(self) -> None:
        self._about: tuple | None = None
        self._told: list[str] = []

    def of(self, volume: InputVolume, bundle: str) -> list[str]:
        """What the worker doubts of the scan with this model, one sentence each."""
        return list(self._told) if self._about == (volume.content, bundle) else []

    def heard_from(self, step: Step, volume: InputVolume, bundle: str) -> Step:
        """The same step, of whose answer the doubts are noted."""
        about = volume.content, bundle

        def succeeded(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
            if "doubts" in said:
                self._about, self._told = about, said["doubts"]
            if step.succeeded is not None:
                step.succeeded(said, arrays)

        return replace(step, succeeded=succeeded)
