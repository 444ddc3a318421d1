"""Nodes that are out of sight for a while, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import slicer

# Why a node is hidden: another volume is worked on, or, of a preview, it was applied.
HIDDEN_ATTRIBUTE, APPLIED_ATTRIBUTE = "DiffusionSeg.Hidden", "DiffusionSeg.HiddenByApply"


def hide(node: slicer.vtkMRMLDisplayableNode, reason: str = HIDDEN_ATTRIBUTE) -> None:
    """Take a node out of all views, unless it is in none."""
    if node.GetDisplayVisibility():
        node.SetDisplayVisibility(False)
        node.SetAttribute(reason, "1")


def wanted_in_views(node: slicer.vtkMRMLDisplayableNode) -> bool:
    """Whether a node is in view, or only `hide` took it away."""
    return bool(node.GetDisplayVisibility() or node.GetAttribute(HIDDEN_ATTRIBUTE))


def show_again(node: slicer.vtkMRMLDisplayableNode, reason: str = HIDDEN_ATTRIBUTE) -> None:
    """Show a node that `hide` had hidden for this reason; one that the user had hidden stays so."""
    if node.GetAttribute(reason):
        node.RemoveAttribute(reason)
        node.SetDisplayVisibility(True)
