"""The painting stays on its volume, whatever transform that is put under."""

from __future__ import annotations

import slicer

from DiffusionSegCore.oriented_images import transform_between
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS
from DiffusionSegCore.segment_voxels import has_voxels_of


def move_along(seeds: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> None:
    """Put what is painted on the volume under its transform, and the background region that lies with it.

    Painting of other voxels than the volume's stays: where one of both was hardened alone, it lies well in the world.
    """
    if transform_between(seeds, volume) is None or not has_voxels_of(seeds, volume):
        return
    region, before = seeds.GetNodeReference(REGION_OF_SEEDS), seeds.GetTransformNodeID()
    seeds.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    if region is not None and region.GetTransformNodeID() == before:
        region.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
