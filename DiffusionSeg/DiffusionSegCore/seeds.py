"""The segmentation that the user paints in."""

from __future__ import annotations

import slicer

from DiffusionSegCore.annotation_slices import VOXELS_ATTRIBUTE, keep_slices, read_slices
from DiffusionSegCore.background_region import region_like
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.node_placement import VOLUME_OF_SEGMENTATION, new_segmentation
from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.oriented_images import oriented_image, transform_between
from DiffusionSegCore.painting_place import move_along
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS, SEEDS_ATTRIBUTE
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import lies_on_voxels, overlapping_names, painted_labels, segment_mask
from DiffusionSegCore.surface_voxels import made_of_voxels

# Kept at a volume, so that going back to it finds what was painted in last.
SEEDS_OF_VOLUME = "DiffusionSeg.Seeds"
# Kept at the painting: a copy of a volume refers to what was painted on that one, but was never painted on itself.
VOLUMES_OF_SEEDS = "DiffusionSeg.PaintedOn"
# Kept at a painting that was copied onto the voxels of another volume.
ORIGINAL_OF_SEEDS = "DiffusionSeg.CopyOf"


def seeds_for(
    volume: InputVolume, chosen: slicer.vtkMRMLSegmentationNode | None
) -> tuple[slicer.vtkMRMLSegmentationNode, list[str]]:
    """The segmentation to paint in, locked to the volume's voxels, and what the user should know about it.

    Args:
        volume: what is painted on.
        chosen: the user's choice; None for the one painted on this volume before, or else a new one. A choice that
            lies on other voxels, or is made of surfaces, is left as it is, and a copy on the volume's voxels is
            returned.

    Raises:
        DiffusionSegError: if the choice cannot be turned into voxels.
    """
    warnings: list[str] = []
    chosen = chosen or painted_before(volume.first)
    if chosen is not None and (_was_painted_on(volume.first, chosen) or not _has_segments(chosen)):
        move_along(chosen, volume.first)
    if chosen is None:
        seeds = new_segmentation(volume.first, f"{volume.first.GetName()} seeds")
    elif lies_on_voxels(chosen, volume.first):
        seeds = chosen
    else:
        with made_of_voxels(chosen, volume.geometry) as voxels:
            seeds = _copy_on_voxels(chosen, voxels, volume)
        warnings = [
            f"{chosen.GetName()} lies on other voxels than {volume.first.GetName()}: "
            f"it stays as it is, and {seeds.GetName()} is its copy on the volume's voxels."
        ]
    seeds.SetReferenceImageGeometryParameterFromVolumeNode(volume.first)
    seeds.SetAttribute(SEEDS_ATTRIBUTE, "1")
    volume.first.SetNodeReferenceID(SEEDS_OF_VOLUME, seeds.GetID())
    if not seeds.HasNodeReferenceID(VOLUMES_OF_SEEDS, volume.first.GetID()):
        seeds.AddNodeReferenceID(VOLUMES_OF_SEEDS, volume.first.GetID())
    labels_of(seeds)
    return seeds, [*warnings, *overlap_warnings(seeds, volume.first)]


def painted_before(volume: slicer.vtkMRMLVolumeNode) -> slicer.vtkMRMLSegmentationNode | None:
    """What was painted in on a volume last; where that is gone, the first that holds paint, or else the first."""
    last = volume.GetNodeReference(SEEDS_OF_VOLUME)
    if last is not None and _was_painted_on(volume, last):
        return last
    fitting = [
        node
        for node in nodes_of_class(volume.GetScene(), "vtkMRMLSegmentationNode")
        if node.GetAttribute(SEEDS_ATTRIBUTE) and _was_painted_on(volume, node) and lies_on_voxels(node, volume)
    ]
    painted = [node for node in fitting if painted_labels(node, volume).any()]
    return next(iter([*painted, *fitting]), None)


def first_painted_on(seeds: slicer.vtkMRMLSegmentationNode | None) -> slicer.vtkMRMLVolumeNode | None:
    """The first of the volumes that were painted on in these seeds; None where nobody knows."""
    return None if seeds is None else seeds.GetNodeReference(VOLUMES_OF_SEEDS)


def are_one_painting(one: slicer.vtkMRMLSegmentationNode, other: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether these are the same, or one was copied from the other onto the voxels of its volume."""
    originals = one.GetNodeReference(ORIGINAL_OF_SEEDS), other.GetNodeReference(ORIGINAL_OF_SEEDS)
    return one is other or originals[0] is other or originals[1] is one


def untouched_seeds(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSegmentationNode]:
    """What was made to paint in and never was: it has no segments, slices or region; what the user made is none."""
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    made = [
        node for node in nodes if node.GetAttribute(SEEDS_ATTRIBUTE) and node.GetNodeReference(VOLUME_OF_SEGMENTATION)
    ]
    return [
        node
        for node in made
        if not _has_segments(node) and not read_slices(node) and node.GetNodeReference(REGION_OF_SEEDS) is None
    ]


def overlap_warnings(seeds: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLVolumeNode) -> list[str]:
    """What the user should know where segments overlap: at most one sentence."""
    names = overlapping_names(seeds, volume)
    return [f"{', '.join(names)} overlap: where they do, the later one in the list is learnt."] if names else []


def _was_painted_on(volume: slicer.vtkMRMLVolumeNode, seeds: slicer.vtkMRMLSegmentationNode) -> bool:
    # The last one is all that versions without such a list kept.
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    last = bool(seeds.GetAttribute(SEEDS_ATTRIBUTE)) and seeds.GetNodeReference(role) is volume
    return last or seeds.HasNodeReferenceID(VOLUMES_OF_SEEDS, volume.GetID())


def _has_segments(segmentation: slicer.vtkMRMLSegmentationNode) -> bool:
    return segmentation.GetSegmentation().GetNumberOfSegments() > 0


def _copy_on_voxels(
    chosen: slicer.vtkMRMLSegmentationNode, voxels: slicer.vtkMRMLSegmentationNode, volume: InputVolume
) -> slicer.vtkMRMLSegmentationNode:
    copy = new_segmentation(volume.first, f"{chosen.GetName()} on {volume.first.GetName()}")
    copy.SetNodeReferenceID(ORIGINAL_OF_SEEDS, chosen.GetID())
    source, target = chosen.GetSegmentation(), copy.GetSegmentation()
    for identifier in labels_of(chosen):
        segment = slicer.vtkSegment()
        segment.DeepCopyMetadata(source.GetSegment(identifier))
        target.AddSegment(segment, identifier)
        image = oriented_image(segment_mask(voxels, identifier, volume.first).astype("uint8"), volume.geometry)
        # Each on a layer of its own where they overlap: nothing that was painted gets lost.
        slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(
            image, copy, identifier, slicer.vtkSlicerSegmentationsModuleLogic.MODE_REPLACE
        )
    # Without them nobody knows of which voxels the slices are.
    if chosen.GetAttribute(VOXELS_ATTRIBUTE) and transform_between(chosen, volume.first) is None:
        keep_slices(copy, read_slices(chosen, volume.geometry), volume.geometry)
    # One of its own: fitted to the copy, it must not move the original's.
    around = chosen.GetNodeReference(REGION_OF_SEEDS)
    region = None if around is None else region_like(around, volume.first)
    if region is not None:
        copy.SetNodeReferenceID(REGION_OF_SEEDS, region.GetID())
    return copy
