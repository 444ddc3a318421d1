"""Slicer's segment editor inside the panel, set up to paint single slices of the seeds."""

from __future__ import annotations

import slicer

SINGLETON_TAG = "DiffusionSeg"
EFFECTS = ["Paint", "Draw", "Erase", "Level tracing"]


class SeedsEditor:
    """Gives the embedded editor its nodes and takes them away again.

    Args:
        widget: a qMRMLSegmentEditorWidget.
    """

    def __init__(self, widget) -> None:
        self._widget = widget
        widget.setEffectNameOrder(EFFECTS)
        widget.unorderedEffectsVisible = False
        widget.setMaximumNumberOfUndoStates(20)

    def edit(self, seeds, volume) -> None:
        """Let the user paint these seeds over this volume; either may be None."""
        self._widget.setMRMLSegmentEditorNode(self._editor_node())
        self._widget.setSegmentationNode(seeds)
        if seeds is not None:
            self._widget.setSourceVolumeNode(volume)

    @property
    def chosen_segment(self) -> str:
        """The ID of the segment that is chosen in the editor's table; empty if there is none."""
        return (self.node.GetSelectedSegmentID() or "") if self.node is not None else ""

    @property
    def node(self):
        """The node that knows the chosen segment and tool, and tells of their change; None before the first edit."""
        return self._widget.mrmlSegmentEditorNode()

    @property
    def brush_in_hand(self) -> bool:
        """Whether a click into a view may paint."""
        return self.node is not None and bool(self.node.GetActiveEffectName())

    def enter(self) -> None:
        """Listen to the views."""
        self._widget.setupViewObservations()
        self._widget.installKeyboardShortcuts()

    def rest(self) -> None:
        """Let no stroke paint until the user takes up the brush again."""
        self._widget.setActiveEffect(None)

    def leave(self) -> None:
        """Leave the views to the next module."""
        self.rest()
        self._widget.uninstallKeyboardShortcuts()
        self._widget.removeViewObservations()

    def release(self) -> None:
        """Hold on to no node: the scene is being closed."""
        self.leave()
        self._widget.setSegmentationNode(None)
        self._widget.setMRMLSegmentEditorNode(None)

    def _editor_node(self):
        scene = slicer.mrmlScene
        node = scene.GetSingletonNode(SINGLETON_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag(SINGLETON_TAG)
            # The brush paints one slice, and every voxel has one label.
            node.SetAttribute("BrushSphere", "0")
            node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments)
            node = scene.AddNode(node)
        return node
