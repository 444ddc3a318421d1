"""Volumes of the scene that were painted on before, and are not the chosen one."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.nodes_of_class import nodes_of_class
from DiffusionSegCore.scene_nodes import REGION_OF_SEEDS, SceneNodes
from DiffusionSegCore.seeds import painted_before


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
    """The boards of all volumes but the chosen one on which something is painted, in the scene's order."""
    chosen = nodes.volume().nodes
    found = []
    for node in nodes_of_class(nodes.state.scene, "vtkMRMLScalarVolumeNode"):
        seeds = None if node in chosen else painted_before(node)
        # What is painted on a copy of the chosen volume may be the same painting.
        if seeds is not None and seeds is not nodes.seeds:
            board = AnnotationBoard(PaintedVolume(node, seeds))
            if board.painted().any():
                found.append(board)
    return found
