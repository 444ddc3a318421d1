"""Where voxels lie in the body."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import nibabel as nib
import numpy as np


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of voxels.

    Args:
        shape: number of voxels along I, J, K.
        affine: 4 x 4, from voxel indices to RAS millimetres.
        space_codes: NIfTI's qform_code and sform_code, which say whose millimetres these are: 1 the scanner's, 4 those
            of MNI's brain. No voxel lies elsewhere for them.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    space_codes: tuple[int, int] = (1, 1)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along each axis in mm."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    @property
    def orientation(self) -> tuple[str, str, str]:
        """The direction closest to each axis, such as ("R", "A", "S")."""
        first, second, third = nib.orientations.aff2axcodes(self.affine)
        return str(first), str(second), str(third)

    @property
    def diagonal_mm(self) -> float:
        """Distance between opposite corners."""
        return float(np.linalg.norm(self.affine[:3, :3] @ np.asarray(self.shape)))

    def matches(self, other: Grid, *, tolerance_mm: float = 1e-2) -> bool:
        """Whether both have the same shape and their corner voxels lie within the tolerance.

        Programs that keep a grid in different forms move an oblique one by some thousandths of a millimetre.
        """
        if self.shape != other.shape:
            return False
        corners = np.asarray([(*corner, 1) for corner in itertools.product(*((0, size - 1) for size in self.shape))])
        return bool(np.abs(corners @ (self.affine - other.affine).T).max() <= tolerance_mm)
