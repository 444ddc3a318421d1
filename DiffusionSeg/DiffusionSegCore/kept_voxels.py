"""Slices that were kept of a volume, found again in its voxels as they are now: cropped, or turned over by a file."""

from __future__ import annotations

import numpy as np

from DiffusionSegCore.voxel_geometry import VoxelGeometry

# Where the planes of cropped voxels lie about half a voxel off, painting and slice may be rounded to different ones.
LARGEST_OFFSET_VOXELS = 0.4


def way_between(kept: np.ndarray, now: np.ndarray) -> np.ndarray | None:
    """Whole numbers (4, 4) that lead from indices of voxels kept to those of voxels now; None if none do.

    Args:
        kept: affine, 4 x 4, from voxel indices to RAS millimetres.
        now: the same of the voxels now.
    """
    matrix = np.linalg.solve(now, kept)
    whole = np.rint(matrix).astype(int)
    parallel = np.allclose(matrix[:3, :3], whole[:3, :3], atol=1e-3)
    same_size = np.array_equal(np.abs(whole[:3, :3]).sum(0), [1, 1, 1])
    off = np.abs(matrix[:3, 3] - whole[:3, 3]).max()
    return whole if parallel and same_size and off <= LARGEST_OFFSET_VOXELS else None


def way_through(kept: VoxelGeometry, now: VoxelGeometry) -> np.ndarray | None:
    """The same between voxels that are all still there, and no others; None if they are not."""
    matrix = way_between(kept.affine, now.affine)
    if matrix is None or not np.array_equal(np.abs(matrix[:3, :3]) @ kept.shape, now.shape):
        return None
    ends = matrix[:3, :3] @ np.stack([np.zeros(3, int), np.array(kept.shape) - 1], axis=1) + matrix[:3, 3:]
    return matrix if (ends.min(1) == 0).all() else None


def moved_place(place: tuple[int, int], matrix: np.ndarray) -> tuple[int, int]:
    """Axis and index that a slice has at the end of such a way."""
    before, index = place
    axis = int(np.flatnonzero(matrix[:3, before])[0])
    return axis, int(matrix[axis, before] * index + matrix[axis, 3])
