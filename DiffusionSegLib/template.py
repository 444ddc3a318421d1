"""Where the voxels of a scan lie in a template: positions that mean the same in every person."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk
import torch

from DiffusionSegLib.alignment import CPU, around_tissue, find_transform, image_of, shrunk
from DiffusionSegLib.compressed_file import check_compressed
from DiffusionSegLib.deformation import TISSUE
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.progress import Progress, silent

# Positions are given in this unit, so that those within a head stay below one.
UNIT_MM = 100.0
# Each takes 240 bytes while it is aligned. A whole head has 10 million voxels of 1 mm, a torso many more.
MOST_VOXELS = 12_000_000


@dataclass(frozen=True, eq=False)
class Template:
    """An average scan that others are aligned to.

    Args:
        image: intensities from 0 to 1, shape (I, J, K) in RAS order; air is 0.
        spacing_mm: edge of its voxels.
    """

    image: np.ndarray
    spacing_mm: float

    @classmethod
    def load(cls, path: Path) -> Template:
        """Read a template that `save` wrote.

        Raises:
            DiffusionSegError: if it cannot be read.
        """
        try:
            check_compressed(path)
            file = nib.nifti1.load(path)
            return cls(np.asarray(file.dataobj, np.float32) / 255, float(file.header.get_zooms()[0]))
        except (OSError, EOFError, ValueError, zlib.error, nib.filebasedimages.ImageFileError) as error:
            message = f"The template {path.name} of the bundle cannot be read."
            raise DiffusionSegError(message, "Install the bundle again.") from error

    def save(self, path: Path) -> None:
        """Write the template as an 8-bit NIfTI file."""
        affine = np.diag([self.spacing_mm] * 3 + [1])
        nib.nifti1.save(nib.nifti1.Nifti1Image(np.rint(self.image * 255).astype(np.uint8), affine), path)

    def positions(
        self,
        normalised: np.ndarray,
        spacing_mm: float,
        *,
        deforming: bool = True,
        device: torch.device = CPU,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Where each voxel of a scan lies in the template: an affine, then a smooth deformation, found by intensities.

        Args:
            normalised: the scan (I, J, K) in RAS order, in [-1, 1], where -1 is air.
            spacing_mm: edge of its voxels.
            deforming: whether a deformation follows the affine.
            device: what computes the deformation.
            progress: told how far the alignment is.

        Returns:
            float32 (3, I, J, K): right, anterior and superior of the template's centre of mass, in units of 100 mm.

        Raises:
            DiffusionSegError: if the two have nothing in common.
        """
        scan, template = self._as_fine_as_possible(image_of((normalised + 1) / 2, spacing_mm))
        to_template = find_transform(scan, template, deforming=deforming, device=device, progress=progress)
        # The field is smooth: where the scan's voxels are finer than what was aligned, it is interpolated.
        shift = sitk.TransformToDisplacementField(
            to_template, sitk.sitkVectorFloat32, scan.GetSize(), scan.GetOrigin(), scan.GetSpacing()
        )
        fine = sitk.Image([int(size) for size in normalised.shape], sitk.sitkUInt8)
        fine.SetSpacing([spacing_mm] * 3)
        resampler = sitk.ResampleImageFilter()
        resampler.SetReferenceImage(fine)
        resampler.UseNearestNeighborExtrapolatorOn()
        positions = sitk.GetArrayFromImage(resampler.Execute(shift)).transpose(3, 2, 1, 0)
        for axis, size in enumerate(normalised.shape):
            steps = np.arange(size, dtype=np.float32) * spacing_mm - self._centre_mm[axis]
            positions[axis] += steps.reshape([-1 if other == axis else 1 for other in range(3)])
        return np.ascontiguousarray(positions / UNIT_MM, dtype=np.float32)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """The template's intensities at positions (3, ...), those of the nearest voxels; air beyond its edge."""
        shape = np.asarray(self.image.shape)[:, None]
        flat = positions.reshape(3, -1) * UNIT_MM + self._centre_mm[:, None]
        voxels = np.rint(flat / self.spacing_mm).astype(int)
        inside = ((voxels >= 0) & (voxels < shape)).all(0)
        found = np.zeros(flat.shape[1], np.float32)
        found[inside] = self.image[tuple(voxels[:, inside])]
        return found.reshape(positions.shape[1:])

    def is_brighter(self, than: float, positions: np.ndarray) -> np.ndarray:
        """At which positions (3, I, J, K) the template is brighter than that, bool (I, J, K)."""
        # Slice by slice: indices of all voxels would take as much memory as the alignment.
        return np.stack([self.at(positions[:, index]) > than for index in range(positions.shape[1])])

    def likeness(self, normalised: np.ndarray, positions: np.ndarray) -> float:
        """How much a scan looks like the template where either shows tissue: the correlation of their intensities.

        Args:
            normalised: the scan (I, J, K) as `positions` takes it.
            positions: what that returned, (3, I, J, K).
        """
        # An eighth of the voxels tells as much.
        some = (slice(None, None, 2),) * 3
        scan, found = (normalised[some] + 1) / 2, self.at(positions[(slice(None), *some)])
        return likeness_of(scan, found)

    @cached_property
    def symmetric(self) -> bool:
        """Whether its left and right are mirror images: then so are the positions of a scan and of its mirror image."""
        return np.array_equal(self.image, self.image[::-1])

    @cached_property
    def sitk_image(self) -> sitk.Image:
        """The template with its first voxel at the origin."""
        return image_of(self.image, self.spacing_mm)

    def _as_fine_as_possible(self, image: sitk.Image) -> tuple[sitk.Image, sitk.Image]:
        """What an image shows, and the template, with voxels of the same size: the template's, or coarser ones."""
        spacing, template = self.spacing_mm, self.sitk_image
        scan = around_tissue(shrunk(image, spacing))
        while scan.GetNumberOfPixels() > MOST_VOXELS:
            spacing *= 2
            scan, template = around_tissue(shrunk(image, spacing)), shrunk(self.sitk_image, spacing)
        return scan, template

    @cached_property
    def _centre_mm(self) -> np.ndarray:
        return np.argwhere(self.image > 0.1).mean(0) * self.spacing_mm


def likeness_of(scan: np.ndarray, found: np.ndarray) -> float:
    """The correlation of intensities from 0 to 1 where either of two images of the same shape shows tissue."""
    shown = (scan > TISSUE) | (found > TISSUE)
    if not scan[shown].any() or not found[shown].any():
        return 0.0
    return float(np.corrcoef(scan[shown], found[shown])[0, 1])
