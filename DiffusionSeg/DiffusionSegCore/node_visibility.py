"""Nodes that are out of sight while another volume is worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import slicer

HIDDEN_ATTRIBUTE = "DiffusionSeg.Hidden"


def hide(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Take a node out of all views, unless it is in none."""
    if node.GetDisplayVisibility():
        node.SetDisplayVisibility(False)
        node.SetAttribute(HIDDEN_ATTRIBUTE, "1")


def wanted_in_views(node: slicer.vtkMRMLDisplayableNode) -> bool:
    """Whether a node is in view, or only `hide` took it away."""
    return bool(node.GetDisplayVisibility() or node.GetAttribute(HIDDEN_ATTRIBUTE))


def show_again(node: slicer.vtkMRMLDisplayableNode) -> None:
    """Show a node that `hide` had hidden; one that the user had hidden stays so."""
    if node.GetAttribute(HIDDEN_ATTRIBUTE):
        node.RemoveAttribute(HIDDEN_ATTRIBUTE)
        node.SetDisplayVisibility(True)
