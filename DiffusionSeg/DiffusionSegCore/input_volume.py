"""The volumes in the scene as the worker wants them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

from DiffusionSegCore.oriented_images import oriented_image, resampled, transform_between
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from DiffusionSegLib.errors import DiffusionSegError

# Of volumes that show where the segmenter is unsure, of this scan or of another one.
UNCERTAINTY_ATTRIBUTE = "DiffusionSeg.ShowsUncertainty"


@dataclass(frozen=True, eq=False)
class InputVolume:
    """One scan: a volume node, or several that are its channels.

    Args:
        nodes: the channels; the first one's voxels are those of everything else.
    """

    nodes: tuple[slicer.vtkMRMLScalarVolumeNode, ...]

    def __post_init__(self) -> None:
        for node in self.nodes:
            _check(node)

    @property
    def first(self) -> slicer.vtkMRMLScalarVolumeNode:
        """The channel whose voxels everything is on."""
        return self.nodes[0]

    @property
    def geometry(self) -> VoxelGeometry:
        """The voxel grid of the first channel."""
        return VoxelGeometry.of(self.first)

    @property
    def content(self) -> tuple:
        """Differs whenever voxels, positions or the choice of nodes differ."""
        affines = [VoxelGeometry.of(node).affine.tobytes() for node in self.nodes]
        moved = [node.GetTransformNodeID() for node in self.nodes]
        if len(self.nodes) > 1:
            # Where channels lie to each other also depends on what the transforms say.
            parents = [node.GetParentTransformNode() for node in self.nodes]
            moved += [None if parent is None else parent.GetTransformToWorldMTime() for parent in parents]
        return (*((node, node.GetImageData().GetMTime()) for node in self.nodes), *affines, *moved)

    def warnings(self) -> list[str]:
        """What the user should know before anything is computed, one sentence each."""
        others = [node for node in self.nodes[1:] if not self._on_first(node)]
        return [
            f"{node.GetName()} lies on other voxels than {self.first.GetName()} and is resampled to them."
            for node in others
        ]

    def array(self) -> np.ndarray:
        """The voxels of all channels on the first one's grid, float32 (channels, I, J, K)."""
        return np.stack([self._channel(node) for node in self.nodes])

    def _channel(self, node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
        voxels = slicer.util.arrayFromVolume(node).transpose(2, 1, 0).astype(np.float32)
        if self._on_first(node):
            return voxels
        image = oriented_image(voxels, VoxelGeometry.of(node))
        transform = transform_between(node, self.first)
        return resampled(image, self.geometry, transform=transform, linear=True, outside=float(voxels.min()))

    def _on_first(self, node: slicer.vtkMRMLScalarVolumeNode) -> bool:
        return transform_between(node, self.first) is None and VoxelGeometry.of(node).matches(self.geometry)


def _check(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    if node.GetAttribute(UNCERTAINTY_ATTRIBUTE):
        raise DiffusionSegError(f"{node.GetName()} shows where a result is unsure.", "Choose the scan itself.")
    image = node.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise DiffusionSegError(f"The volume {node.GetName()} has no voxels.", "Load it again or choose another one.")
    if image.GetNumberOfScalarComponents() != 1:
        message = f"The volume {node.GetName()} has several values in each voxel."
        raise DiffusionSegError(message, "Choose grey-value volumes; give the channels of a scan as separate volumes.")
    if min(image.GetDimensions()) < 2:
        raise DiffusionSegError(f"{node.GetName()} is a single slice.", "Choose a volume of several slices.")
