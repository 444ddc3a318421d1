"""Volumes of the scene that were painted on before, and are not the chosen one."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS, SceneNodes
from DiffusionSegCore.seeds import are_one_painting, first_painted_on, painted_before


@dataclass(frozen=True, eq=False)
class PaintedVolume:
    """What an annotation board needs of a volume that the task is not about.

    Args:
        node: the volume.
        seeds: what was painted on it.
    """

    node: slicer.vtkMRMLScalarVolumeNode
    seeds: slicer.vtkMRMLSegmentationNode

    has_volume = True

    @property
    def roi(self) -> slicer.vtkMRMLMarkupsROINode | None:
        """The background region."""
        return self.seeds.GetNodeReference(REGION_OF_SEEDS)

    def volume(self) -> InputVolume:
        """The volume as a scan of one channel."""
        return InputVolume((self.node,))

    def painted_seeds(self) -> slicer.vtkMRMLSegmentationNode:
        """The seeds."""
        return self.seeds


def other_painted_volumes(nodes: SceneNodes) -> list[AnnotationBoard]:
    """The boards of all volumes but the chosen one on which something is painted, in the scene's order.

    Each painting counts once: on the volume that it was made for, where several images of a body share it, and not
    beside a copy of it on the voxels of another volume, such as a cropped one.
    """
    chosen = nodes.volume().nodes
    others = [node for node in nodes_of_class(nodes.state.scene, "vtkMRMLScalarVolumeNode") if node not in chosen]
    # Of a volume whose file was not found nobody can tell where its painting lies.
    painted = [(node, painted_before(node)) for node in others if node.GetImageData() is not None]
    known, found = [nodes.seeds], {}
    for node, seeds in sorted(painted, key=lambda pair: first_painted_on(pair[1]) is not pair[0]):
        if seeds is None or any(are_one_painting(seeds, one) for one in known):
            continue
        board = AnnotationBoard(PaintedVolume(node, seeds))
        if board.painted().any():
            known.append(seeds)
            found[node] = board
    return [found[node] for node in others if node in found]
