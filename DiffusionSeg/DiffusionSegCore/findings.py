"""What the worker found, put into the scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer

from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.learnt_labels import LearntLabel
from DiffusionSegCore.node_placement import new_segmentation, remove_whole
from DiffusionSegCore.preview import new_preview, show_labelmap, values_from, with_slices
from DiffusionSegCore.scan_work import ScanWork
from DiffusionSegCore.scene_nodes import PREVIEW, UNCERTAINTY, SceneNodes
from DiffusionSegCore.segment_labels import label_from_json
from DiffusionSegCore.segment_voxels import has_voxels_of, lies_on_voxels, painted_labels
from DiffusionSegCore.uncertainty_display import new_uncertainty_volume, show_map, take_off_image
from DiffusionSegCore.uncertainty_of_result import keep_uncertainty, maps_without_result
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.known_voxels import known_voxels
from DiffusionSegLib.structure_names import values_among

# How much of the volume the preview shows, and whether by the segmenter trained last.
EXTENT = "PreviewExtent"
NOTHING, SOME_SLICES, WHOLE_VOLUME = "nothing", "slices", "whole"


class Findings:
    """The preview and the uncertainty of the task.

    Args:
        nodes: the task's nodes.
    """

    def __init__(self, nodes: SceneNodes) -> None:
        self.nodes = nodes

    @property
    def extent(self) -> str:
        """What the preview shows of the last training: "nothing", "slices" or "whole"."""
        return self.nodes.state.value(EXTENT, NOTHING) if self.nodes.preview else NOTHING

    def outdate(self) -> None:
        """Take it that the preview is from an earlier training: it stays to be seen until it is replaced."""
        self.nodes.state.set_value(EXTENT, NOTHING)

    def move_along(self, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Let preview and uncertainty stay on the volume, which may have been put under another transform since.

        Where it was hardened alone, they lie well in the world already.
        """
        if self.nodes.preview is not None and has_voxels_of(self.nodes.preview, volume):
            self._put_under_transform_of(volume)

    def _put_under_transform_of(self, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
        for node in (self.nodes.preview, self.nodes.uncertainty_volume):
            if node is not None:
                node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())

    def show_slices(self, work: ScanWork, arrays: dict[str, np.ndarray]) -> None:
        """Put the slices that were found into the preview, over what it shows of the same structures."""
        self.move_along(work.volume.first)
        labelmap, uncertainty = self._shown_on(work)
        labelmap = with_slices(labelmap, work.found_slices(arrays, "slice"))
        uncertainty = with_slices(uncertainty, work.found_slices(arrays, "uncertainty"))
        extent = WHOLE_VOLUME if self.extent == WHOLE_VOLUME else SOME_SLICES
        self._show(work.volume.first, work.geometry, labelmap, uncertainty, work.learnt)
        self.nodes.state.set_value(EXTENT, extent)

    def show_volume(self, work: ScanWork, arrays: dict[str, np.ndarray]) -> None:
        """Put the whole volume's labels and uncertainty into the scene."""
        self._show(work.volume.first, work.geometry, arrays["labelmap"], arrays["uncertainty"], work.learnt)
        self.nodes.state.set_value(EXTENT, WHOLE_VOLUME)

    def show_other_volume(self, work: ScanWork, arrays: dict[str, np.ndarray]) -> slicer.vtkMRMLSegmentationNode:
        """A new segmentation of a volume that the segmenter was applied to, which keeps where it is unsure.

        Maps of earlier results that were deleted go.
        """
        for outlived in maps_without_result(work.volume.first):
            take_off_image(outlived.GetScene())
            remove_whole(outlived)
        node = new_segmentation(work.volume.first, f"{work.volume.first.GetName()} segmentation")
        show_labelmap(node, arrays["labelmap"], work.geometry, work.learnt, self.nodes.seeds)
        uncertainty = new_uncertainty_volume(work.volume.first)
        show_map(uncertainty, arrays["uncertainty"], work.geometry)
        keep_uncertainty(node, uncertainty, work.volume.first)
        return node

    def lay_over(
        self, volume: InputVolume, described: dict[str, Any], painted: np.ndarray, learnt: Sequence[LearntLabel]
    ) -> None:
        """Lay what is painted over the preview, as a prediction does: it may have been painted since.

        Args:
            volume: what is painted on.
            described: complete_slices, background_box and labels of the painting, by the names that were learnt.
            painted: its label values (I, J, K).
            learnt: what the segmenter knows.
        """
        known = known_voxels(painted, described["complete_slices"], described["background_box"])
        meant = values_among([one.label for one in learnt], [label_from_json(said) for said in described["labels"]])
        # A painting that the volume was moved away from, or that lies on coarser voxels, is no correction of it.
        if not np.isin(painted, list(meant)).any() or not lies_on_voxels(self.nodes.painted_seeds(), volume.first):
            return
        known &= np.isin(painted, [0, *meant])
        # What was learnt from another scan, or in another scene, may have other values there.
        painted = np.array([meant.get(value, 0) for value in range(painted.max() + 1)], painted.dtype)[painted]
        before = painted_labels(self.nodes.preview, volume.first)
        if not (before[known] != painted[known]).any():
            return
        labelmap = np.where(known, painted, before)
        uncertainty = np.where(known, 0, self._uncertainty_on(volume.geometry))
        self._show(volume.first, volume.geometry, labelmap, uncertainty, learnt)

    def _shown_on(self, work: ScanWork) -> tuple[np.ndarray, np.ndarray]:
        """Labels and uncertainty (I, J, K) that are shown now.

        Of an earlier training, which stays until the whole volume was segmented anew, only the structures that were
        learnt again: of another segmenter's the values mean others.
        """
        preview, shape = self.nodes.preview, work.geometry.shape
        if preview is None:
            return np.zeros(shape, np.uint16), np.zeros(shape, np.float32)
        labelmap, uncertainty = painted_labels(preview, work.volume.first), self._uncertainty_on(work.geometry)
        if self.extent != NOTHING:
            return labelmap, uncertainty
        kept = values_from(preview, {one.source for one in work.learnt})
        return np.where(np.isin(labelmap, kept), labelmap, 0), uncertainty if kept else np.zeros_like(uncertainty)

    def _uncertainty_on(self, geometry: VoxelGeometry) -> np.ndarray:
        """The uncertainty shown, float32 (I, J, K); 0 where none is shown on these voxels."""
        node = self.nodes.uncertainty_volume
        if node is None or node.GetImageData() is None or not VoxelGeometry.of(node).matches(geometry):
            return np.zeros(geometry.shape, np.float32)
        return slicer.util.arrayFromVolume(node).transpose(2, 1, 0)

    def _show(
        self,
        volume: slicer.vtkMRMLScalarVolumeNode,
        geometry: VoxelGeometry,
        labelmap: np.ndarray,
        uncertainty: np.ndarray,
        learnt: Sequence[LearntLabel],
    ) -> None:
        nodes = self.nodes
        if nodes.preview is None:
            nodes.state.refer(PREVIEW, new_preview(volume))
        show_labelmap(nodes.preview, labelmap, geometry, learnt, nodes.seeds)
        nodes.show_applied(nodes.preview)
        if nodes.uncertainty_volume is None:
            nodes.state.refer(UNCERTAINTY, new_uncertainty_volume(volume))
        show_map(nodes.uncertainty_volume, uncertainty, geometry)
        self._put_under_transform_of(volume)
