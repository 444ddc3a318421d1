"""Annotate: which slices to paint, and where background begins."""

from __future__ import annotations

from slicer.i18n import tr as _

from DiffusionSegWidgets.messages import ActionableError
from DiffusionSegWidgets.parameters import CHOSEN, WHOLE
from DiffusionSegWidgets.slice_table import SliceTable
from DiffusionSegWidgets.volume_display import name_of_slice

COMPLETE = "complete"


class AnnotateSection:
    """The list of annotation slices and the background region.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        ui = panel.ui
        self._table = SliceTable(ui.annotationTable, self.jump)
        self._complete: set[tuple[int, int]] = set()
        ui.proposeButton.clicked.connect(self.propose)
        ui.addSlicesButton.clicked.connect(self.add_visible)
        ui.removeSliceButton.clicked.connect(self.remove)
        ui.completeButton.clicked.connect(self.toggle_complete)
        ui.nextSliceButton.clicked.connect(self.next_slice)
        ui.fitRegionButton.clicked.connect(self.fit_region)
        ui.showRegionCheckBox.toggled.connect(self.show_region)
        ui.removeRegionButton.clicked.connect(self.remove_region)

    def propose(self) -> None:
        """Propose slices along all three axes and jump to the first."""
        parameters = self._panel.parameters
        with self._panel.messages.guarded(_("Proposing slices")):
            self._panel.logic.engine.propose_slices(
                parameters.slices_per_axis,
                parameters.stride,
                self._panel.editor.chosen_segment if parameters.around == CHOSEN else None,
                whole_volume=parameters.around == WHOLE,
            )
            self.refresh()
            self.next_slice()
            self._panel.preparation.begin()

    def add_visible(self) -> None:
        """Add the slices that the views show, and choose the first of them that is new."""
        engine = self._panel.logic.engine
        with self._panel.messages.guarded(_("Adding slices")):
            if self._panel.return_to_volume():
                # The views show this volume again, at the other one's place: nobody chose those slices.
                told = _("Another volume was in view. Look at {name} now, then press again.")
                self._panel.messages.inform(told.format(name=self._panel.volume.GetName()))
                return
            new = [place for place in engine.shown_slices() if place not in self._table.slices]
            for place in new:
                engine.add_slice(*place)
            self.refresh()
            if new:
                self._table.choose_in_view(new[0])
                self.enable()

    def add(self, place: tuple[int, int]) -> None:
        """Add a slice, choose it and jump to it."""
        with self._panel.messages.guarded(_("Adding a slice")):
            self._panel.logic.engine.add_slice(*place)
            self.refresh()
            self._table.choose(place)

    def remove(self) -> None:
        """Take the chosen slice from the list; what is painted on it stays."""
        with self._panel.messages.guarded(_("Removing a slice")):
            place = self._table.current
            if place is not None:
                self._panel.logic.engine.remove_slice(*place)
            if place in self._complete:
                self._panel.train.on_painted()
            self.refresh()

    def toggle_complete(self) -> None:
        """Mark the chosen slice complete, or take the mark back; one that is not in view is shown first.

        What is unpainted on a complete slice is background: nobody must say so of a slice without seeing it.
        """
        with self._panel.messages.guarded(_("Marking a slice")):
            place = self._table.current
            if place is None:
                self._panel.messages.inform(_("Choose a slice of the list first."))
            elif self._panel.return_to_volume() or place not in self._panel.logic.engine.shown_slices():
                self._show_before_marking(place)
            else:
                self._mark(place)

    def next_slice(self) -> None:
        """Jump to the next slice that is not complete, beginning anew after the last."""
        with self._panel.messages.guarded(_("Looking for the next slice")):
            places = self._table.slices
            open_ones = {(item.axis, item.index) for item in self._slices() if item.state != COMPLETE}
            start = places.index(self._table.current) + 1 if self._table.current in places else 0
            following = next((place for place in [*places[start:], *places[:start]] if place in open_ones), None)
            if following is not None:
                self._table.choose(following)
            elif places:
                self._panel.messages.inform(_("All slices of the list are complete: press Train, or propose more."))

    def jump(self, axis: int, index: int) -> None:
        """Move all views to a slice."""
        with self._panel.messages.guarded(_("Jumping to a slice")):
            self._panel.return_to_volume()
            self._panel.logic.engine.show_slice(axis, index)
        self.enable()

    def fit_region(self) -> None:
        """Put the background region around what is painted, and show it."""
        with self._panel.messages.guarded(_("Fitting the region")):
            self._panel.logic.engine.fit_background_region(self._panel.parameters.background_margin)
            self.show_region(shown=True)
            self._panel.train.on_painted()

    def show_region(self, shown: bool) -> None:
        """Show or hide the background region in the views; hidden, it tells as much."""
        with self._panel.messages.guarded(_("Showing the region")):
            self._panel.return_to_volume()
            region = self._panel.logic.engine.roi
            if region is not None:
                region.SetDisplayVisibility(shown)
        self.enable()

    def remove_region(self) -> None:
        """Take the background region away: outside of it nothing is background any more."""
        with self._panel.messages.guarded(_("Removing the region")):
            self._panel.logic.engine.remove_background_region()
            self._panel.train.on_painted()
            told = _("The background region was removed: only complete slices tell what is background.")
            self._panel.messages.inform(told)
        self.enable()

    def refresh(self) -> None:
        """Show the slices and their states as the engine has them."""
        slices = self._slices() if self._panel.volume is not None else []
        self._complete = {(item.axis, item.index) for item in slices if item.state == COMPLETE}
        rows = [(item.axis, item.index, self._name((item.axis, item.index)), _STATES[item.state]()) for item in slices]
        self._table.fill(rows)
        self.enable()

    def enable(self) -> None:
        """Enable what makes sense for the chosen slice and the background region."""
        ui, chosen = self._panel.ui, self._table.current
        ui.removeSliceButton.enabled = ui.completeButton.enabled = chosen is not None
        ui.completeButton.text = _("Not complete") if chosen in self._complete else _("Mark complete")
        ui.nextSliceButton.enabled = bool(self._table.slices)
        region = self._panel.logic.engine.roi if self._panel.volume is not None else None
        self._panel.train.observe_region(region)
        ui.showRegionCheckBox.enabled = ui.removeRegionButton.enabled = region is not None
        blocked = ui.showRegionCheckBox.blockSignals(True)
        ui.showRegionCheckBox.checked = region is not None and bool(region.GetDisplayVisibility())
        ui.showRegionCheckBox.blockSignals(blocked)

    def _mark(self, place: tuple[int, int]) -> None:
        complete = place not in self._complete
        self._panel.logic.engine.mark_complete(*place, complete=complete)
        self.refresh()
        self._panel.train.on_painted()
        told = _("{name} is not complete any more.")
        if complete:
            told = _("{name} is complete: what is unpainted on it counts as background.")
        self._panel.messages.inform(told.format(name=self._name(place)))

    def _show_before_marking(self, place: tuple[int, int]) -> None:
        engine = self._panel.logic.engine
        engine.show_slice(*place)
        if place not in engine.shown_slices():
            message = _("{name} is in none of the views.").format(name=self._name(place))
            raise ActionableError(message, _("Choose a layout that has a view of it."))
        told = _("{name} was not in view. Look at it now, then press again.")
        self._panel.messages.inform(told.format(name=self._name(place)))

    def _name(self, place: tuple[int, int]) -> str:
        return name_of_slice(self._panel.volume, *place)

    def _slices(self) -> list:
        return self._panel.logic.engine.annotation_slices()


_STATES = {
    "to paint": lambda: _("to paint"),
    "painted": lambda: _("painted"),
    COMPLETE: lambda: "✓ " + _("complete"),
}
