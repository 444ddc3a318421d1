"""Other volumes: keep the trained segmenter, and run it on the next patient's scan."""

from __future__ import annotations

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.bundle_choice import chosen_bundle
from DiffusionSegWidgets.job import Job
from DiffusionSegWidgets.machine_settings import SEGMENTER_FILE, keep_setting, setting
from DiffusionSegWidgets.messages import ActionableError
from DiffusionSegWidgets.volume_display import show_volume


class OtherVolumesSection:
    """Saving, loading and applying a segmenter.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        panel.ui.segmenterPathEdit.currentPath = setting(SEGMENTER_FILE)
        panel.ui.segmenterPathEdit.currentPathChanged.connect(self.keep_segmenter_file)
        panel.ui.saveSegmenterButton.clicked.connect(self.save)
        panel.ui.loadSegmenterButton.clicked.connect(self.load)
        panel.ui.applyToOtherButton.clicked.connect(self.apply)

    def keep_segmenter_file(self, path: str) -> None:
        """Offer the file again in later sessions."""
        keep_setting(SEGMENTER_FILE, path)

    def save(self) -> None:
        """Write the trained segmenter to the chosen file."""
        doing, engine = _("Saving the segmenter"), self._panel.logic.engine
        with self._panel.messages.guarded(doing):
            path = self._path()
            # The field is for Save and Load, so that its file dialog does not ask.
            question = _("Replace the segmenter {name}?").format(name=Path(path).name)
            if Path(path).exists() and not slicer.util.confirmOkCancelDisplay(question):
                return
            told = _("The segmenter was saved.")
            self._panel.run(
                Job(
                    doing,
                    lambda: engine.start_saving(path),
                    lambda call: call.result(),
                    lambda: self._panel.messages.inform(told),
                )
            )

    def load(self) -> None:
        """Read a segmenter from the chosen file; its model becomes the chosen one."""
        doing, engine = _("Loading the segmenter"), self._panel.logic.engine
        with self._panel.messages.guarded(doing):
            path = self._path()
            self._panel.run(
                Job(
                    doing,
                    lambda: engine.start_loading(path),
                    self._take_loaded,
                    lambda: self._panel.messages.inform(_("The segmenter was loaded.")),
                )
            )

    def apply(self) -> None:
        """Segment another volume of the scene."""
        doing, engine = _("Segmenting the other volume"), self._panel.logic.engine
        volume = self._panel.parameters.other_volume
        with self._panel.messages.guarded(doing):
            self._check_channels()
            self._panel.run(
                Job(doing, lambda: engine.start_applying(volume), engine.finish_applying, lambda: self._show(volume))
            )

    def _check_channels(self) -> None:
        count = self._panel.input.bundles.channels
        if count > 1:
            message = _("The model works on {count} volumes of the same body at a time, and here only one is chosen.")
            hint = _("Choose them under Input as Volume and Further channels, then press Segment the whole volume.")
            raise ActionableError(message.format(count=count), hint)

    def _show(self, volume) -> None:
        # All that lies over it would be of the volume that is worked on, and strokes would go into that one's painting.
        self._panel.editor.rest()
        self._panel.review.hide_uncertainty()
        self._panel.logic.engine.leave_views(volume)
        show_volume(volume, alone=True)
        self._panel.refresh()

    def _take_loaded(self, call) -> None:
        engine, parameters = self._panel.logic.engine, self._panel.parameters
        # Engine and panel keep model and clean-up in the same node: told of one change, the panel would undo it.
        state = parameters.parameterNode.StartModify()
        try:
            engine.finish_loading(call)
            if engine.settings.bundle != chosen_bundle(parameters):
                parameters.bundle = engine.settings.bundle
            parameters.keep_largest = engine.settings.keep_largest
        finally:
            parameters.parameterNode.EndModify(state)

    def _path(self) -> str:
        path = self._panel.ui.segmenterPathEdit.currentPath.strip()
        if not path:
            raise ActionableError(_("No file was chosen."), _("Choose one in the field Segmenter file."))
        return path if path.endswith(".safetensors") else f"{path}.safetensors"
