"""Work on a scan that goes on while the user does other things, and what it was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer

from DiffusionSegCore.call_sequence import CallSequence
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.learnt_labels import LearntLabel
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.errors import DiffusionSegError

HINT = "The rest of the scene is as it was; start again when you are ready."


@dataclass(eq=False)
class ScanWork:
    """A running call of the worker's, and the scan that it is about.

    Args:
        call: the calls that do the work.
        volume: the scan.
        geometry: its voxels when the work began.
        slices: axis and index of the slices that were asked for.
        learnt: what the segmenter knew when the work began: another scene may bring another segmenter meanwhile.
        warnings: what the user should know about what it was begun with, one sentence each.
    """

    call: CallSequence
    volume: InputVolume
    geometry: VoxelGeometry
    slices: tuple[tuple[int, int], ...] = field(default=())
    learnt: tuple[LearntLabel, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    @property
    def done(self) -> bool:
        """Whether `result` returns at once."""
        return self.call.done

    @property
    def method(self) -> str:
        """The worker's method that runs now, or ran last."""
        return self.call.method

    def result(self, timeout: float | None = None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What the worker answered, waited for; raises as `CallSequence.result` does."""
        return self.call.result(timeout)

    def found_slices(self, arrays: Mapping[str, np.ndarray], name: str) -> dict[tuple[int, int], np.ndarray]:
        """The arrays `name_0`, `name_1` ... by the axis and index of their slices."""
        return {place: arrays[f"{name}_{number}"] for number, place in enumerate(self.slices)}

    def check_still_wanted(self, scene: slicer.vtkMRMLScene) -> None:
        """Make sure that there is a place for the result.

        Raises:
            DiffusionSegError: if the scan was deleted or got other voxels, or the scene was closed, since it began.
        """
        if any(node.GetScene() is not scene for node in self.volume.nodes):
            raise DiffusionSegError("The volume was removed while it was worked on; the result was dropped.", HINT)
        if not self.volume.geometry.matches(self.geometry):
            raise DiffusionSegError("The volume got other voxels while it was worked on; the result was dropped.", HINT)
