"""Why structures of a scan may be missed, as the worker has told last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import slicer

from DiffusionSegCore.call_sequence import Step
from DiffusionSegCore.input_volume import InputVolume


class ScanDoubts:
    """What was told of each scan; of one that got other voxels, or with another model, nothing is known."""

    def __init__(self) -> None:
        # By the first channel: what it was told about, and what that was.
        self._told: dict[slicer.vtkMRMLScalarVolumeNode, tuple[tuple, list[str]]] = {}

    def of(self, volume: InputVolume, bundle: str) -> list[str]:
        """What the worker doubts of the scan with this model, one sentence each."""
        about, told = self._told.get(volume.first, ((), []))
        return list(told) if about == (volume.content, bundle) else []

    def heard_from(self, step: Step, volume: InputVolume, bundle: str) -> Step:
        """The same step, of whose answer the doubts are noted."""
        about = volume.content, bundle

        def succeeded(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
            if "doubts" in said:
                # Volumes that were deleted, or whose scene was closed, would live on here.
                self._told = {node: told for node, told in self._told.items() if node.GetScene() is not None}
                self._told[volume.first] = about, said["doubts"]
            if step.succeeded is not None:
                step.succeeded(said, arrays)

        return replace(step, succeeded=succeeded)
