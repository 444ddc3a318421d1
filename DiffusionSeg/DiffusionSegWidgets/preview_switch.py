"""The switch that shows and hides the preview."""

from __future__ import annotations

import slicer


class PreviewSwitch:
    """Lets a check box and the visibility of the preview follow each other.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        self._preview = None
        # Not `toggled`: what hides the preview elsewhere is not the user's wish.
        panel.ui.showPreviewCheckBox.clicked.connect(self.on_clicked)

    def on_clicked(self, _checked: bool = False) -> None:
        """Show or hide the preview over its own volume."""
        # That may bring the preview back, and the switch with it.
        wanted = self._panel.ui.showPreviewCheckBox.checked
        self._panel.return_to_volume()
        self._panel.logic.engine.show_preview(wanted)

    def follow(self, preview) -> None:
        """Be the switch of this preview; None where there is none."""
        event = slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent
        if preview is not self._preview:
            if self._preview is not None:
                self._panel.removeObserver(self._preview, event, self.on_display_changed)
            if preview is not None:
                self._panel.addObserver(preview, event, self.on_display_changed)
            self._preview = preview
        self._panel.ui.showPreviewCheckBox.enabled = preview is not None
        self.on_display_changed()

    def on_display_changed(self, _caller=None, _event=None) -> None:
        """Show whether the preview is in view, whoever has changed that."""
        preview = self._preview
        self._panel.ui.showPreviewCheckBox.checked = preview is not None and bool(preview.GetDisplayVisibility())
