"""What the module remembers, kept in the scene so that it is saved and restored with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from DiffusionSegCore.nodes_of_class import nodes_of_class

if TYPE_CHECKING:
    import slicer

MODULE_NAME = "DiffusionSeg"


class SceneState:
    """Parameters and node references in the module's parameter node.

    Nothing is held in Python: every look goes to the scene, so that scenes that were closed, loaded or edited by others
    are never mistaken for what they were.

    Args:
        scene: where the node lives; it is made at the first look.
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self.scene = scene

    @property
    def node(self) -> slicer.vtkMRMLScriptedModuleNode:
        """The parameter node: the one that Slicer's scripted modules find by their name."""
        for node in nodes_of_class(self.scene, "vtkMRMLScriptedModuleNode"):
            if node.GetAttribute("ModuleName") == MODULE_NAME:
                return node
        node = self.scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(MODULE_NAME)
        node.SetAttribute("ModuleName", MODULE_NAME)
        node.SetName(MODULE_NAME)
        # Closing a scene blanks its singletons but keeps them: adding then fills the blanked one, which is returned.
        return self.scene.AddNode(node)

    def value(self, name: str, otherwise: Any = None) -> Any:
        """A parameter, decoded from JSON; `otherwise` where it was never set or cannot be read."""
        text = self.node.GetParameter(name)
        try:
            return json.loads(text) if text else otherwise
        except ValueError:
            return otherwise

    def set_value(self, name: str, value: Any) -> None:
        """Keep anything that JSON can hold; None forgets it."""
        if value is None:
            self.node.UnsetParameter(name)
        else:
            self.node.SetParameter(name, json.dumps(value))

    def referenced(self, role: str) -> slicer.vtkMRMLNode | None:
        """The node of a role; None where there is none or it was deleted."""
        return self.node.GetNodeReference(role)

    def all_referenced(self, role: str) -> list[slicer.vtkMRMLNode]:
        """All nodes of a role in their order, without those that were deleted."""
        count = self.node.GetNumberOfNodeReferences(role)
        found = [self.node.GetNthNodeReference(role, index) for index in range(count)]
        return [node for node in found if node is not None]

    def refer(self, role: str, *nodes: slicer.vtkMRMLNode) -> None:
        """Let a role mean these nodes and no others."""
        self.node.RemoveNodeReferenceIDs(role)
        for node in nodes:
            self.node.AddNodeReferenceID(role, node.GetID())
