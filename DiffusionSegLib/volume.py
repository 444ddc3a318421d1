"""A scan: channels of voxels and where they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan of one or several channels.

    Args:
        data: float32 of shape (channels, I, J, K).
        grid: where the voxels lie.
        stem: what files made from it are called; taken from the file's name, never from its header.
    """

    data: np.ndarray
    grid: Grid
    stem: str = "volume"

    @staticmethod
    def stack(volumes: Sequence[Volume]) -> Volume:
        """The channels of one scan as one volume.

        Raises:
            DiffusionSegError: if they lie on different grids.
        """
        first = volumes[0]
        for other in volumes[1:]:
            if not first.grid.matches(other.grid):
                message = f"The channels {first.stem} and {other.stem} lie on different grids."
                raise DiffusionSegError(message, "Resample one onto the other first.")
        return replace(first, data=np.concatenate([volume.data for volume in volumes]))

    def content_digest(self) -> str:
        """SHA-256 of the voxels and where they lie."""
        digest = hashlib.sha256(repr((self.data.shape, self.grid.affine.tolist())).encode())
        digest.update(np.ascontiguousarray(self.data, dtype="<f4").data.cast("B"))
        return digest.hexdigest()

    def validate(self) -> Volume:
        """The volume itself, if it can be worked with.

        Raises:
            DiffusionSegError: if voxels are no numbers or a channel is the same everywhere.
        """
        for channel in self.data:
            if not np.isfinite(channel).all():
                message = f"{self.stem} has voxels that are no finite numbers (NaN or infinite)."
                raise DiffusionSegError(message, "Export the scan again or replace those voxels.")
            if channel.min() == channel.max():
                message = f"{self.stem} has the same value in all voxels."
                raise DiffusionSegError(message, "Check that the right file was chosen.")
        return self
