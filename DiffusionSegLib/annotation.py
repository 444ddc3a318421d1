"""What the annotator has told about the voxels of a scan."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.box import Box, slices_of
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.known_voxels import known_voxels
from DiffusionSegLib.labels import Label

UNKNOWN = -1
# What results are kept as.
LARGEST_VALUE = int(np.iinfo(np.uint16).max)
CompleteSlices = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Annotation:
    """Known labels of a scan's voxels.

    Args:
        labelmap: int32 (I, J, K): -1 unknown, 0 background, otherwise a structure's value.
        grid: where the voxels lie.
        labels: the structures, by value.
        complete_slices: indices along each axis of the slices that are known throughout.
        background_box: first and one-past-last index along each axis; all outside is background.
    """

    labelmap: np.ndarray
    grid: Grid
    labels: tuple[Label, ...]
    complete_slices: CompleteSlices = ((), (), ())
    background_box: Box | None = None

    @classmethod
    def from_painting(
        cls,
        painted: np.ndarray,
        grid: Grid,
        *,
        complete_slices: CompleteSlices = ((), (), ()),
        background_box: Box | None = None,
        labels: Sequence[Label] = (),
    ) -> Annotation:
        """An annotation from a label map in which 0 means not painted.

        Unpainted voxels are unknown, but background on complete slices and outside the background box.

        Raises:
            DiffusionSegError: if the label map has another shape or too large values, is empty, or names slices or
                boxes outside of it.
        """
        if painted.shape != grid.shape:
            raise DiffusionSegError("The label map has another size than its grid.", "Paint on the scan's own grid.")
        if not (painted > 0).any():
            raise DiffusionSegError("The label map is empty.", "Paint at least one structure.")
        _check_slices(complete_slices, grid)
        _check_box(background_box, grid)
        _check_values(painted)
        known = known_voxels(painted, complete_slices, background_box)
        # The mark of what is unknown is below what unsigned integers can hold.
        labelmap = np.where(known, painted.astype(np.int32), UNKNOWN)
        present = [int(value) for value in np.unique(painted[painted > 0])]
        given = {label.value: label for label in labels}
        named = tuple(given.get(value, Label.generic(value)) for value in present)
        _warn_of_structures_outside(painted, background_box, named)
        return cls(labelmap, grid, named, complete_slices, background_box)

    @property
    def known(self) -> np.ndarray:
        """Which voxels are known, bool (I, J, K)."""
        return self.labelmap != UNKNOWN

    # Sorting a scan's voxels takes longer than previewing a slice of it.
    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The values that are known somewhere: 0 if any background is, and the structures."""
        return tuple(int(value) for value in np.unique(self.labelmap) if value != UNKNOWN)

    @cached_property
    def unknown_region(self) -> Box:
        """The box around what is not known: first and one-past-last index along each axis; empty if all is known."""
        unknown = self.labelmap == UNKNOWN
        if not unknown.any():
            return ((0, 0), (0, 0), (0, 0))
        first, second, third = bounding_box(unknown)
        return first, second, third

    def over(self, labelmap: np.ndarray, part: tuple[slice | int, ...] = ()) -> np.ndarray:
        """A predicted label map, of the scan or of a part of it, with what is known in place of what was predicted."""
        annotated = self.labelmap[part]
        return np.where(annotated != UNKNOWN, annotated, labelmap).astype(labelmap.dtype)

    def surely(self, measure: np.ndarray, part: tuple[slice | int, ...] = (), *, sure: int = 0) -> np.ndarray:
        """How sure a prediction is, of the scan or of a part of it, with the value `sure` where the label is known."""
        return np.where(self.labelmap[part] != UNKNOWN, measure.dtype.type(sure), measure)

    def check_learnable(self) -> None:
        """Raise a DiffusionSegError unless the annotation knows two classes to tell apart."""
        if len(self.classes) < 2:
            message = "The annotation knows one class only."
            raise DiffusionSegError(message, "Paint a second structure, complete a slice or give a background box.")

    def check_on(self, grid: Grid) -> None:
        """Raise a DiffusionSegError unless the annotation lies on `grid`."""
        if not self.grid.matches(grid):
            message = "The label map lies on another grid than the scan."
            raise DiffusionSegError(message, "Paint on the scan itself, or resample the label map to its voxels.")


def _check_values(painted: np.ndarray) -> None:
    if painted.max() > LARGEST_VALUE:
        message = f"The label map has values above {LARGEST_VALUE}, which results cannot hold."
        raise DiffusionSegError(message, "Give the structures smaller numbers.")


def _warn_of_structures_outside(painted: np.ndarray, background_box: Box | None, labels: Sequence[Label]) -> None:
    """Tell where the painting says that something is background, and that it is not."""
    if background_box is None:
        return
    outside = painted.copy()
    outside[slices_of(background_box)] = 0
    values = set(np.unique(outside[outside > 0]).tolist())
    names = ", ".join(label.name for label in labels if label.value in values)
    if names:
        message = (
            f"Some of what is painted as {names} lies outside the background region, where all around it counts as "
            "background: fit the region to the painting."
        )
        warnings.warn(message, DiffusionSegWarning, stacklevel=3)


def _check_slices(complete_slices: CompleteSlices, grid: Grid) -> None:
    for name, indices, size in zip("ijk", complete_slices, grid.shape, strict=True):
        for index in indices:
            if not 0 <= index < size:
                message = f"The complete slice {name} = {index} lies outside the scan."
                raise DiffusionSegError(message, f"Along {name} the slices are 0 to {size - 1}.")


def _check_box(background_box: Box | None, grid: Grid) -> None:
    if background_box is None:
        return
    for name, (low, high), size in zip("ijk", background_box, grid.shape, strict=True):
        if not 0 <= low < high <= size:
            message = f"The background box runs from {low} to {high} along {name}, which is no range within the scan."
            raise DiffusionSegError(message, f"Give two rising numbers between 0 and {size}.")
