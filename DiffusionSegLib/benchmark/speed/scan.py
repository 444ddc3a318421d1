"""The scan that all ways are timed on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.oasis import VALIDATION, OasisFolder
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation, foreground_mask
from DiffusionSegLib.template import UNIT_MM

SLICES_PER_AXIS = 3
PHANTOM_BALLS = {3: ((0.25, 0.2, 0.0), 0.35, 180.0), 7: ((-0.35, -0.2, 0.1), 0.3, 320.0)}
PHANTOM_BRIGHTNESS, PHANTOM_NOISE, PHANTOM_RADIUS = 700.0, 15.0, 0.9


@dataclass(frozen=True, eq=False)
class SpeedScan:
    """A scan on the denoiser's grid, with its reference.

    Args:
        image: normalised channels (channels, I, J, K).
        tissue: which voxels are not air (I, J, K).
        reference: label values (I, J, K).
        spacing_mm: edge of the voxels.
    """

    image: np.ndarray
    tissue: np.ndarray
    reference: np.ndarray
    spacing_mm: float

    @classmethod
    def phantom(cls, size: int, spacing_mm: float) -> SpeedScan:
        """A bright ball in air with two darker balls in it, `size` voxels along each axis."""
        places = np.stack(np.meshgrid(*[np.linspace(-1, 1, size)] * 3, indexing="ij"))
        inside = np.linalg.norm(places, axis=0) < PHANTOM_RADIUS
        image = np.full(inside.shape, PHANTOM_BRIGHTNESS)
        reference = np.zeros(inside.shape, np.int32)
        for value, (centre, radius, brightness) in PHANTOM_BALLS.items():
            ball = np.linalg.norm(places - np.reshape(centre, (3, 1, 1, 1)), axis=0) < radius
            image[ball], reference[ball] = brightness, value
        noisy = image + np.random.default_rng(0).normal(0, PHANTOM_NOISE, image.shape)
        return cls._of(np.where(inside, noisy, 0)[None], reference, spacing_mm, "mr")

    @classmethod
    def oasis(cls, folder: Path, spacing_mm: float) -> SpeedScan:
        """The validation person of the nine-slice benchmark, whose scan has the grid's voxels but for their order."""
        data = OasisFolder(folder)
        person = data.people(VALIDATION)[0]
        volume, reference = data.read(person)
        grid = ModelGrid.for_grid(volume.grid, spacing_mm)
        on_grid = np.rint(grid.to_model(reference[None].astype(np.float32))[0]).astype(np.int32)
        return cls._of(grid.to_model(volume.data), on_grid, spacing_mm, "mr")

    @classmethod
    def _of(cls, data: np.ndarray, reference: np.ndarray, spacing_mm: float, modality: str) -> SpeedScan:
        image = Normalisation().apply(data.astype(np.float32), modality)
        return cls(image, foreground_mask(image), reference, spacing_mm)

    @property
    def grid(self) -> Grid:
        first, second, third = self.tissue.shape
        return Grid((first, second, third), np.diag([*[self.spacing_mm] * 3, 1.0]))

    @property
    def positions(self) -> np.ndarray:
        """Stand-ins for positions in a template, (3, I, J, K): what they are matters to no duration."""
        axes = [(np.arange(size) - size / 2) * self.spacing_mm / UNIT_MM for size in self.tissue.shape]
        return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)

    def annotation(self) -> Annotation:
        """Nine painted slices and the background region."""
        stride = max(1, min(10, min(self.tissue.shape) // 12))
        return annotate_slices(self.reference, self.grid, per_axis=SLICES_PER_AXIS, stride=stride, background=True)

    def middle(self, edge: int) -> SpeedScan:
        """The cube of `edge` voxels, or fewer where the scan has fewer, in the middle of the tissue."""
        centre = np.argwhere(self.tissue).mean(0)
        starts = [
            int(np.clip(round(place) - edge // 2, 0, max(size - edge, 0)))
            for place, size in zip(centre, self.tissue.shape, strict=True)
        ]
        cube = tuple(slice(start, start + edge) for start in starts)
        return replace(
            self,
            image=np.ascontiguousarray(self.image[(slice(None), *cube)]),
            tissue=self.tissue[cube],
            reference=self.reference[cube],
        )
