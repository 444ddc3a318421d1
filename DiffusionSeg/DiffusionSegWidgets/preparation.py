"""Preparing the scan while the user paints: the alignment and the features, so that Train need not wait for them."""

from __future__ import annotations

from slicer.i18n import tr as _

from DiffusionSegWidgets.bundle_choice import chosen_bundle
from DiffusionSegWidgets.dependencies import NotInstalledError
from DiffusionSegWidgets.job import QuietJob
from DiffusionSegWidgets.messages import sentence
from DiffusionSegWidgets.volume_display import voxels_of

# What share of the preparation is over when a stage begins, and when it ends: measured on a processor, with a brain of
# 160 x 205 x 165 voxels and the bundled model.
SHARES = {
    "preparation": (0.0, 0.02),
    "alignment": (0.02, 0.36),
    "features": (0.36, 0.98),
    "saving": (0.98, 1.0),
}


class Preparation:
    """Begins by itself once the user has begun to work on a volume, quietly, and ends as soon as it is of no use.

    It is never begun by a scene that is loaded: only `begin` does, which painting and proposing slices call.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        # What is being prepared: volume, its voxels, channels, model and device.
        self._under_way: tuple | None = None
        # What was prepared, could not be, or was stopped: none of it is begun again.
        self._settled: tuple | None = None
        panel.ui.stopPreparingButton.clicked.connect(self.stop)
        self._tell("")

    def begin(self) -> None:
        """The user works on the volume: prepare it, if that is wanted and was not done."""
        wanted = self._wanted()
        if wanted is None or wanted == self._settled or not self._panel.runs.idle:
            return
        self._under_way = wanted
        self._go_on()

    def stop(self) -> None:
        """The user has pressed Cancel: leave this volume to Train."""
        if self._under_way is not None:
            self._settle(_("Preparing was stopped; Train does it."))
            self._panel.runs.stop_quiet()

    def follow(self) -> None:
        """Something else may have been chosen: stop what is of no use any more, and tell nothing about it."""
        wanted = self._wanted()
        if self._under_way is not None and self._under_way != wanted:
            self._under_way = None
            self._panel.runs.stop_quiet()
            self._tell("")
        elif self._settled is not None and self._settled != wanted:
            self._settled = None
            self._tell("")

    def trained(self) -> None:
        """A training has computed all that there is to prepare."""
        self._settled = self._wanted()
        self._tell("")

    def forget(self) -> None:
        """The scene is gone, or the worker."""
        self._under_way = self._settled = None
        self._tell("")

    def show(self) -> None:
        """Show how far it is only as long as no other work does."""
        ui, busy = self._panel.ui, self._panel.runs.busy
        ui.preparationLabel.visible = bool(ui.preparationLabel.text) and not busy
        ui.stopPreparingButton.visible = self._under_way is not None and bool(ui.preparationLabel.text) and not busy

    def _wanted(self) -> tuple | None:
        parameters = self._panel.parameters
        if parameters is None or not parameters.prepare_while_painting or parameters.input_volume is None:
            return None
        bundle = chosen_bundle(parameters)
        if not bundle:
            return None
        volume = parameters.input_volume
        return volume, voxels_of(volume), tuple(parameters.further_channels), bundle, parameters.device

    def _go_on(self) -> None:
        """Greet the worker, ask for the model's licence and for an estimate, if nobody has, then prepare."""
        if self._under_way is None or not self._panel.runs.idle:
            # Other work has taken over; what is left of this is done by it, or begun again by the next stroke.
            self._under_way = None
            return
        engine, advanced, train = self._panel.logic.engine, self._panel.advanced, self._panel.train
        bundles = self._panel.input.bundles
        if not self._panel.logic.greeted:
            self._run(engine.start_hello, advanced.take_greeting, self._go_on, brief=True)
        elif bundles.to_ask is not None:
            self._run(*self._panel.input.asking(bundles.to_ask), self._go_on, brief=True)
        elif not train.estimated:
            about = train.to_estimate
            self._run(engine.start_estimate, lambda call: train.take_estimate(call, about), self._go_on, brief=True)
        elif train.too_large:
            # What may take the computer to its limits is begun by a click alone.
            self._settle(_("The scan is not prepared while you paint: it may need more memory than there is."))
        else:
            self._run(engine.start_extraction, engine.finish_extraction, self._prepared, brief=False)

    def _run(self, start, finish, then, *, brief: bool) -> None:
        job = QuietJob(_("Preparing"), start, finish, then, show=self._show_share, ended=self._ended, brief=brief)
        self._panel.runs.run_quietly(job)

    def _show_share(self, stage: str, done: float, total: float) -> None:
        if self._under_way is None or stage not in SHARES:
            return
        begun, over = SHARES[stage]
        share = begun + (over - begun) * (done / total if total else 0)
        self._tell(_("Preparing the scan while you paint - {percent} %").format(percent=round(100 * share)))

    def _prepared(self) -> None:
        self._settle(_("The scan is prepared: Train begins with learning at once."))

    def _ended(self, error: Exception | None) -> None:
        if self._under_way is None:
            return
        if error is None:
            # Other work came first: the next stroke begins anew.
            self._under_way = None
            self._tell("")
        elif isinstance(error, NotInstalledError):
            self._settle("")
        else:
            self._settle(_("The scan could not be prepared; press Train to see why."), sentence(error, _("Preparing")))

    def _settle(self, text: str, more: str = "") -> None:
        self._settled, self._under_way = self._under_way, None
        self._tell(text, more)

    def _tell(self, text: str, more: str = "") -> None:
        label = self._panel.ui.preparationLabel
        label.text, label.toolTip = text, more or _("What is computed while you paint, so that Train need not.")
        self.show()
