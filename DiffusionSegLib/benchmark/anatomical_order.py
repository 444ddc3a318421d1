"""Arrays of a scan with their axes to the right, to the front and up, whatever order its file has."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np

from DiffusionSegLib.grid import Grid


@dataclass(frozen=True, eq=False)
class AnatomicalOrder:
    """The way from a scan's own order of voxels to the closest RAS order, and back; nothing is interpolated.

    Args:
        grid: the scan's own.
    """

    grid: Grid

    def apply(self, array: np.ndarray) -> np.ndarray:
        """An array (I, J, K) in RAS order."""
        return np.ascontiguousarray(nib.orientations.apply_orientation(array, self._orientation))

    def undo(self, array: np.ndarray) -> np.ndarray:
        """An array in RAS order in the scan's own order (I, J, K)."""
        ras = nib.orientations.axcodes2ornt("RAS")
        back = nib.orientations.ornt_transform(ras, self._orientation)
        return np.ascontiguousarray(nib.orientations.apply_orientation(array, back))

    @property
    def _orientation(self) -> np.ndarray:
        return nib.orientations.io_orientation(self.grid.affine)
