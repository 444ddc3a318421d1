"""Nodes of a scene by their class."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import slicer


def nodes_of_class(scene: slicer.vtkMRMLScene, name: str) -> list[slicer.vtkMRMLNode]:
    """The nodes of that class, or of one derived from it, in the scene's order.

    `slicer.util.getNodesByClass` takes a scene, too, but looks in Slicer's main one all the same.
    """
    return [scene.GetNthNodeByClass(index, name) for index in range(scene.GetNumberOfNodesByClass(name))]
