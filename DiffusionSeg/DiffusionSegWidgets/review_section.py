"""Review: the whole volume, where it is unsure, what to paint next, and taking it over."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.job import Job
from DiffusionSegWidgets.preview_switch import PreviewSwitch
from DiffusionSegWidgets.slice_table import SliceTable
from DiffusionSegWidgets.volume_display import name_of_slice


class ReviewSection:
    """What is done with a prediction.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        ui = panel.ui
        self._table = SliceTable(ui.suggestionTable, panel.annotate.jump)
        self._preview_switch = PreviewSwitch(panel)
        ui.predictButton.clicked.connect(self.predict)
        ui.addSuggestionButton.clicked.connect(self.add_chosen)
        ui.applyButton.clicked.connect(self.apply)
        ui.undoApplyButton.clicked.connect(self.undo)
        ui.uncertaintySlider.valueChanged.connect(self.show_uncertainty)

    def predict(self) -> None:
        """Segment the whole volume, then list the slices worth painting next."""
        engine = self._panel.logic.engine
        self._panel.return_to_volume()
        self._panel.run(
            Job(
                _("Segmenting the volume"),
                engine.start_prediction,
                engine.finish_prediction,
                self._after_prediction,
                gives_way=True,
                needs_features=True,
            )
        )

    def add_chosen(self) -> None:
        """Put the chosen suggestion on the list of slices to paint, as the one to paint now."""
        if self._table.current is not None:
            self._panel.annotate.add(self._table.current)

    def apply(self) -> None:
        """Copy the preview into the user's segmentation, which is seen in its place."""
        with self._panel.messages.guarded(_("Applying")), slicer.util.WaitCursor():
            self._panel.return_to_volume()
            engine, parameters = self._panel.logic.engine, self._panel.parameters
            if parameters.result_segmentation is None:
                engine.forget_result()
            else:
                engine.set_result(parameters.result_segmentation)
            parameters.result_segmentation = engine.apply_preview(parameters.overwrite_mode)
            told = [_("The result is in the segmentation; Undo takes it back.")]
            if engine.edits_replaced:
                text = _("Replaced what was drawn or edited there by hand: {names}.")
                told.append(text.format(names=", ".join(engine.edits_replaced)))
            if engine.voxels_taken:
                text = _("Lost voxels to it: {names}; with Overwrite at none they keep them.")
                told.append(text.format(names=", ".join(engine.voxels_taken)))
            self._panel.messages.inform(" ".join(told))
        self._panel.refresh()

    def undo(self) -> None:
        """Take the last Apply back, but no edit that was made since."""
        with self._panel.messages.guarded(_("Undo")):
            self._panel.messages.inform(" ".join(self._panel.logic.engine.undo_apply()))
        self._panel.refresh()

    def show_uncertainty(self, _opacity: float = 0.0) -> None:
        """Lay the uncertainty over the scan in view, as opaque as the slider says."""
        engine, opacity = self._panel.logic.engine, self._panel.ui.uncertaintySlider.value
        # What was told before stays: this is also done at the end of a run.
        with self._panel.messages.quietly_guarded(_("Showing the uncertainty")):
            if opacity > 0 and engine.uncertainty_in_view is None:
                self._panel.return_to_volume()
            engine.show_uncertainty(opacity)

    def hide_uncertainty(self) -> None:
        """Take the colours away: the views are going to show another volume than theirs."""
        self._panel.parameters.uncertainty_opacity = 0.0
        # The slider, which follows, is deaf while another module is open, and silent where it was at zero already.
        self._panel.logic.engine.show_uncertainty(0)

    def enable(self, *, ready: bool) -> None:
        """Enable what makes sense now."""
        ui, engine = self._panel.ui, self._panel.logic.engine
        self._preview_switch.follow(engine.preview if self._panel.volume is not None else None)
        ui.predictButton.enabled = ready
        ui.applyButton.enabled = ready and engine.can_apply
        ui.undoApplyButton.enabled = ready and engine.can_undo
        ui.addSuggestionButton.enabled = ready and bool(self._table.slices)
        ui.uncertaintySlider.enabled = ready and self._has_map()

    def list_suggestions(self) -> None:
        """List the slices worth painting next that were found last in the volume, perhaps in another session."""
        volume = self._panel.parameters.input_volume
        found = [(item.axis, item.index, score) for item, score in self._panel.logic.engine.suggestions]
        rows = [(axis, index, name_of_slice(volume, axis, index), f"{score:.3g}") for axis, index, score in found]
        self._table.fill(rows)

    def forget(self) -> None:
        """The scene is gone, or another volume was chosen."""
        self._table.fill([])
        self._preview_switch.follow(None)

    def _has_map(self) -> bool:
        engine = self._panel.logic.engine
        return engine.uncertainty_volume is not None or engine.uncertainty_in_view is not None

    def _after_prediction(self) -> None:
        self.show_uncertainty()
        engine = self._panel.logic.engine
        self._panel.run(
            Job(_("Finding the next slices"), engine.start_suggesting, self._take_suggestions, needs_features=True)
        )

    def _take_suggestions(self, work) -> None:
        self._panel.logic.engine.finish_suggesting(work)
        self.list_suggestions()
