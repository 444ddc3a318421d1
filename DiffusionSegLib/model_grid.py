"""The grid that the denoiser works on, and the way there and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.grid import Grid

SAME_SPACING = 1e-3

OfAxis = TypeVar("OfAxis")


@dataclass(frozen=True)
class AxisMap:
    """How one axis of the model's grid follows from one of the source's: model = scale * source + offset, in voxels.

    Args:
        source_axis: the source's axis that runs along the model's.
        scale: model voxels a source voxel, negative where the two run against each other.
        offset: where the source's first voxel lies.
    """

    source_axis: int
    scale: float
    offset: float


@dataclass(frozen=True, eq=False)
class ModelGrid:
    """The source's own axes, permuted and flipped to the closest RAS order, with isotropic voxels.

    Keeping the source's axes (also oblique ones) keeps painted slices planes of the grid, and leaves a separate linear
    map for each axis.

    Args:
        source: the scan's own grid.
        grid: the model's.
        axis_maps: one for each axis of the model's grid.
    """

    source: Grid
    grid: Grid
    axis_maps: tuple[AxisMap, AxisMap, AxisMap]

    @classmethod
    def for_grid(cls, source: Grid, spacing_mm: float) -> ModelGrid:
        """The model's grid over the full extent of the source's voxels."""
        orientation = nib.orientations.io_orientation(source.affine)
        maps, sizes = [], []
        to_source = np.eye(4)
        to_source[:3, :3] = 0
        for axis in range(3):
            source_axis = int(np.flatnonzero(orientation[:, 0] == axis)[0])
            forward = orientation[source_axis, 1] > 0
            ratio = source.spacing[source_axis] / spacing_mm
            if abs(ratio - 1) < SAME_SPACING:
                ratio = 1.0
            extent = source.shape[source_axis]
            size = max(1, round(extent * ratio))
            # Both grids share the middle of the extent.
            middle_source, middle_model = (extent - 1) / 2, (size - 1) / 2
            scale = ratio if forward else -ratio
            maps.append(AxisMap(source_axis, scale, middle_model - scale * middle_source))
            sizes.append(size)
            to_source[source_axis, axis] = 1 / scale
            to_source[source_axis, 3] = -maps[-1].offset / scale
        grid = Grid((sizes[0], sizes[1], sizes[2]), source.affine @ to_source)
        return cls(source, grid, (maps[0], maps[1], maps[2]))

    def to_model(self, data: np.ndarray) -> np.ndarray:
        """Channels on the source's grid (C, I, J, K) on the model's: linear, after a blur where it shrinks."""
        return np.stack([self._channel(channel) for channel in data])

    def labels_to_model(self, labelmap: np.ndarray) -> np.ndarray:
        """A label map on the source's grid (I, J, K) on the model's: each voxel has the label of the nearest one."""
        places = []
        for axis_map, size, most in zip(
            self.axis_maps, self.grid.shape, self.source_shape_in_model_order(), strict=True
        ):
            nearest = np.floor((np.arange(size) - axis_map.offset) / axis_map.scale + 0.5 - 1e-6).astype(np.int64)
            places.append(np.clip(nearest, 0, most - 1))
        return labelmap.transpose(self._order)[np.ix_(*places)]

    def nearest_model_voxel(self, indices: np.ndarray) -> np.ndarray:
        """The voxels of the model's grid nearest to the centres of the source's voxels `indices` (N, 3)."""
        columns = [axis_map.scale * indices[:, axis_map.source_axis] + axis_map.offset for axis_map in self.axis_maps]
        rounded = np.floor(np.stack(columns, axis=1) + 0.5 - 1e-6).astype(np.int64)
        return np.clip(rounded, 0, np.asarray(self.grid.shape) - 1)

    def source_shape_in_model_order(self) -> tuple[int, int, int]:
        """The source's shape with its axes in the model's order."""
        return self.in_model_order(self.source.shape)

    def in_model_order(self, of_axes: tuple[OfAxis, OfAxis, OfAxis]) -> tuple[OfAxis, OfAxis, OfAxis]:
        """What is known of each of the source's axes, in the order of the model's."""
        first, second, third = (of_axes[axis] for axis in self._order)
        return first, second, third

    def to_source_order(self, array: np.ndarray) -> np.ndarray:
        """An array of the source's voxels whose axes are in the model's order, in the source's own order again."""
        return np.ascontiguousarray(array.transpose(np.argsort(self._order)))

    @property
    def _order(self) -> list[int]:
        return [axis_map.source_axis for axis_map in self.axis_maps]

    @cached_property
    def _only_reordered(self) -> bool:
        return all(abs(axis_map.scale) == 1 for axis_map in self.axis_maps)

    def _channel(self, channel: np.ndarray) -> np.ndarray:
        ordered = channel.transpose(self._order)
        if self._only_reordered:
            steps = tuple(slice(None, None, int(axis_map.scale)) for axis_map in self.axis_maps)
            return np.ascontiguousarray(ordered[steps], dtype=np.float32)
        # In voxel units, so that no affine, however oblique or sheared, is beyond SimpleITK. Its axes come reversed.
        image = sitk.GetImageFromArray(np.ascontiguousarray(ordered, dtype=np.float32))
        for direction, sigma in enumerate(self._blur()[::-1]):
            if sigma > 0:
                image = sitk.RecursiveGaussian(image, sigma, direction=direction)
        transform = sitk.AffineTransform(3)
        scales = [1 / axis_map.scale for axis_map in self.axis_maps]
        transform.SetMatrix(np.diag(scales[::-1]).ravel().tolist())
        starts = [-axis_map.offset / axis_map.scale for axis_map in self.axis_maps]
        transform.SetTranslation(starts[::-1])
        resampler = sitk.ResampleImageFilter()
        resampler.SetSize([int(size) for size in self.grid.shape[::-1]])
        resampler.SetTransform(transform)
        resampler.SetInterpolator(sitk.sitkLinear)
        resampler.UseNearestNeighborExtrapolatorOn()
        return np.asarray(sitk.GetArrayFromImage(resampler.Execute(image)), dtype=np.float32)

    def _blur(self) -> list[float]:
        """Width of the Gaussian, in source voxels, that leaves what the model's coarser voxels can show."""
        shrink = [1 / abs(axis_map.scale) for axis_map in self.axis_maps]
        return [0.0 if factor <= 1 else 0.5 * (factor**2 - 1) ** 0.5 for factor in shrink]
