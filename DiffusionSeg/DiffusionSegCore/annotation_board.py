"""The slices to paint and the background region of the task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from DiffusionSegCore.annotation_slices import (
    COMPLETE,
    TO_PAINT,
    AnnotationSlice,
    complete_slices,
    keep_slices,
    proposed_slices,
    read_slices,
    with_states,
)
from DiffusionSegCore.background_region import box_around, box_of, new_region, set_box
from DiffusionSegCore.node_placement import remove_whole
from DiffusionSegCore.oriented_images import transform_between
from DiffusionSegCore.painting_place import move_along
from DiffusionSegCore.scene_nodes import SceneNodes
from DiffusionSegCore.segment_labels import label_to_json, labels_of
from DiffusionSegCore.segment_voxels import lies_on_voxels, painted_labels, segment_mask
from DiffusionSegCore.slice_views import show_slice, shown_slices
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.errors import DiffusionSegError

if TYPE_CHECKING:
    from DiffusionSegCore.painted_volumes import PaintedVolume


class AnnotationBoard:
    """What the user has to paint, and has painted.

    Args:
        nodes: the task's nodes, or those of another volume that was painted on.
    """

    def __init__(self, nodes: SceneNodes | PaintedVolume) -> None:
        self.nodes = nodes

    def propose_slices(
        self, per_axis: int = 3, stride: float = 10.0, around: str | None = None, *, whole_volume: bool = False
    ) -> list[AnnotationSlice]:
        """Propose slices along each axis; those painted or complete stay in the list.

        Args:
            per_axis: how many of each axis.
            stride: how far they lie apart in mm.
            around: a segment of the seeds that lies at their middle; None for all that is painted, or else the
                middle of the volume.
            whole_volume: whether the middle of the volume is their middle, whatever is painted.

        Raises:
            DiffusionSegError: if the segment is empty or not there.
        """
        geometry = self.nodes.volume().geometry
        kept = [found for found in self.annotation_slices() if found.state != TO_PAINT]
        centre = _middle_of(geometry) if whole_volume else self._centre(around)
        proposed = proposed_slices(geometry, centre, per_axis, stride)
        taken = {found.place for found in kept}
        self._keep([*kept, *(found for found in proposed if found.place not in taken)])
        return self.annotation_slices()

    def annotation_slices(self) -> list[AnnotationSlice]:
        """All slices of the list with their states, sorted by axis and index."""
        if self.nodes.seeds is None:
            return []
        if not self.nodes.has_volume:
            return sorted(read_slices(self.nodes.seeds))
        return with_states(sorted(self._slices()), self.painted())

    def add_slice(self, axis: int, index: int) -> None:
        """Put a slice on the list; one that is there stays as it is."""
        self._check(axis, index)
        slices = self._slices()
        if (axis, index) not in {found.place for found in slices}:
            self._keep([*slices, AnnotationSlice(axis, index)])

    def remove_slice(self, axis: int, index: int) -> None:
        """Take a slice off the list; what is painted on it stays."""
        self._keep(found for found in self._slices() if found.place != (axis, index))

    def mark_complete(self, axis: int, index: int, complete: bool = True) -> None:
        """Say whether what is not painted on a slice is background; the slice joins the list."""
        self.add_slice(axis, index)
        state = COMPLETE if complete else TO_PAINT
        self._keep(replace(found, state=state) if found.place == (axis, index) else found for found in self._slices())

    def show_slice(self, axis: int, index: int) -> None:
        """Turn the slice views to the volume's planes and let them jump to a slice."""
        self._check(axis, index)
        show_slice(self.nodes.volume().first, axis, index)

    def shown_slices(self) -> list[tuple[int, int]]:
        """Axis and index of the slices that the views show."""
        return shown_slices(self.nodes.volume().first)

    def fit_background_region(self, margin_mm: float = 5.0) -> slicer.vtkMRMLMarkupsROINode:
        """Fit the background region to all that is painted, with a margin about it; it is made if there is none.

        Raises:
            DiffusionSegError: if nothing is painted.
        """
        volume = self.nodes.volume()
        box = box_around(self.painted() > 0, volume.geometry, margin_mm)
        region = self.nodes.roi
        if region is None:
            region = new_region(volume.first)
            self.nodes.refer_region(region)
        # The box is in the volume's own millimetres.
        region.SetAndObserveTransformNodeID(volume.first.GetTransformNodeID())
        set_box(region, box, volume.geometry)
        return region

    def remove_background_region(self) -> None:
        """Take the background region, if there is one, out of the scene: outside of it nothing is background then."""
        region = self.nodes.roi
        if region is not None:
            remove_whole(region)

    def background_box(self) -> list[list[int]] | None:
        """The background region as first and one-past-last voxel along I, J, K; None if there is no region."""
        if self.nodes.roi is None:
            return None
        self._seeds()
        return box_of(self.nodes.roi, self.nodes.volume().first)

    def painted(self) -> np.ndarray:
        """The label values that are painted on the volume, uint16 (I, J, K)."""
        return painted_labels(self._seeds(), self.nodes.volume().first)

    def described(self) -> dict[str, Any]:
        """What the worker is told about the annotation beside its voxels.

        Raises:
            DiffusionSegError: if the background region lies beside the volume, or nobody knows any more which of its
                slices are complete.
        """
        self._check_complete_slices()
        return {
            "complete_slices": complete_slices(self._slices()),
            "background_box": self.background_box(),
            "labels": [label_to_json(label) for label in labels_of(self.nodes.painted_seeds()).values()],
        }

    def _seeds(self) -> slicer.vtkMRMLSegmentationNode:
        """The seeds, moved along if their volume was put under another transform since anyone looked."""
        seeds = self.nodes.painted_seeds()
        move_along(seeds, self.nodes.volume().first)
        return seeds

    def _slices(self) -> list[AnnotationSlice]:
        """Those slices of the list that the volume has, in its voxels as they are now."""
        geometry = self.nodes.volume().geometry
        return [found for found in self._all_slices() if found.is_of(geometry)]

    def _all_slices(self) -> list[AnnotationSlice]:
        """The same, and those that were cut off when the volume was cropped."""
        seeds, volume = self._seeds(), self.nodes.volume()
        if transform_between(seeds, volume.first) is not None:
            return []
        return read_slices(seeds, volume.geometry, lambda: lies_on_voxels(seeds, volume.first))

    def _keep(self, slices: Iterable[AnnotationSlice]) -> None:
        """Let these be the slices of the list that the volume has."""
        self._check_complete_slices()
        geometry = self.nodes.volume().geometry
        cut_off = [found for found in self._all_slices() if not found.is_of(geometry)]
        keep_slices(self.nodes.painted_seeds(), [*slices, *cut_off], geometry)

    def _centre(self, around: str | None) -> np.ndarray:
        volume, seeds = self.nodes.volume(), self.nodes.painted_seeds()
        if around is None:
            painted = self.painted() > 0
            return np.argwhere(painted).mean(0) if painted.any() else _middle_of(volume.geometry)
        segment = seeds.GetSegmentation().GetSegment(around)
        painted = np.zeros(0) if segment is None else segment_mask(seeds, around, volume.first)
        if not painted.any():
            name = segment.GetName() if segment else "the chosen structure"
            message = f"Nothing of {name} is painted yet, so there is nothing to propose slices around."
            raise DiffusionSegError(message, "Paint a little of it on any slice first.")
        return np.argwhere(painted).mean(0)

    def _check_complete_slices(self) -> None:
        seeds, volume = self._seeds(), self.nodes.volume().first
        complete = any(found.state == COMPLETE for found in read_slices(seeds))
        if complete and transform_between(seeds, volume) is not None:
            message = (
                f"{seeds.GetName()} is under another transform than {volume.GetName()}, where slices are complete."
            )
            raise DiffusionSegError(message, "Put both under the same transform, or harden the transform of both.")

    def _check(self, axis: int, index: int) -> None:
        size = self.nodes.volume().geometry.shape[axis]
        if not 0 <= index < size:
            message = f"The slice {'IJK'[axis]} = {index} lies outside the volume."
            raise DiffusionSegError(message, f"Its slices run from 0 to {size - 1}.")


def _middle_of(geometry: VoxelGeometry) -> np.ndarray:
    return (np.asarray(geometry.shape) - 1) / 2
