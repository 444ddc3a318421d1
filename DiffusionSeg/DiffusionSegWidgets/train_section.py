"""Train: learn from the painted slices, preview the slices in view, then segment the volume."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.bundle_choice import chosen_bundle
from DiffusionSegWidgets.job import Job
from DiffusionSegWidgets.messages import ERROR_STYLE, ActionableError
from DiffusionSegWidgets.time_left import in_words
from DiffusionSegWidgets.training_chart import TrainingChart
from DiffusionSegWidgets.volume_display import voxels_of

PAUSE_MILLISECONDS = 1000


class TrainSection:
    """Training, its chart, and training again whenever painting pauses.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        self._chart = TrainingChart(panel.ui.chartLabel)
        self._painting = self._region = None
        # And whether from all painted volumes.
        self._trained = self._trained_on_all = False
        # What the estimate that is shown is about.
        self._estimated: tuple | None = None
        # What to do where the volume needs more memory than there is, and whether that was told instead of training.
        self._memory_warning: str | None = None
        self._warned = False
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self.on_pause)
        panel.ui.trainButton.clicked.connect(self.train)
        panel.ui.estimateButton.clicked.connect(self.estimate)

    @property
    def points(self) -> list[tuple[float, float, float | None]]:
        """Step, loss and held-out agreement of the training so far."""
        return self._chart.points

    @property
    def estimated(self) -> bool:
        """Whether the estimate that is shown, or was asked for in vain, is that of the next run."""
        return self._estimated == self.to_estimate

    @property
    def too_large(self) -> bool:
        """Whether the volume needs more memory than there is, as far as that was estimated."""
        return self._memory_warning is not None

    @property
    def to_estimate(self) -> tuple:
        """What the next run is about: volume and how many voxels of which size it has, channels, model and device.

        And whether what other volumes take comes on top.
        """
        parameters = self._panel.parameters
        volume, channels = parameters.input_volume, tuple(parameters.further_channels)
        bundle, device = chosen_bundle(parameters), parameters.device
        return volume, voxels_of(volume), channels, bundle, device, parameters.all_paintings

    def train(self) -> None:
        """Train, preview the slices in view, and segment the volume if that is wanted.

        Before the first time on a volume the user is told how long that will take. Where the memory does not
        suffice only that is told, and the next press trains: the estimate may be wrong.
        """
        if self.estimated:
            self._warn_or_train()
        else:
            self.estimate(then=self._warn_or_train)

    def _warn_or_train(self) -> None:
        if self._memory_warning is None or self._warned:
            self._train()
        else:
            self._warned = True
            hint = _("Press Train again to train all the same.")
            self._panel.messages.complain(ActionableError(self._memory_warning, hint), _("Training"))

    def _train(self) -> None:
        engine, all_paintings = self._panel.logic.engine, self._panel.parameters.all_paintings
        self._chart.clear()
        self._panel.return_to_volume()
        self._panel.run(
            Job(
                _("Training"),
                lambda: engine.start_training(warm=self._trained, all_paintings=all_paintings),
                self.take_training,
                lambda: self._preview(all_paintings),
                needs_features=True,
            )
        )

    def estimate(self, _checked: bool = False, *, then=None) -> None:
        """Ask the worker how long the first run will take, and how much memory."""
        about = self.to_estimate

        def start():
            # Once is enough also where it fails: it must not keep anyone from training.
            self._estimated = about
            return self._panel.logic.engine.start_estimate()

        self._panel.run(
            Job(
                _("Estimating"),
                start,
                lambda call: self.take_estimate(call, about),
                then,
                needs_features=True,
            )
        )

    def estimate_ahead(self) -> None:
        """Tell it before anyone asks, if a volume is chosen."""
        parameters = self._panel.parameters
        if parameters is not None and parameters.input_volume is not None and not self.estimated:
            self.estimate()

    def take_estimate(self, call, about: tuple) -> None:
        """Show the worker's answer, unless something else was chosen since it was asked.

        Args:
            call: the ended call.
            about: what `to_estimate` was then.
        """
        answer, _arrays = call.result()
        if about != self.to_estimate:
            return
        self._estimated = about
        self._show_estimate(answer)

    def outdate_estimate(self) -> None:
        """Show no estimate that is about another volume, model or device."""
        if not self.estimated:
            self._estimated, self._memory_warning, self._warned = None, None, False
            self._panel.ui.estimateLabel.styleSheet = ""
            self._panel.ui.estimateLabel.text = _("Train tells first how long it will take.")

    def add_curve_point(self, params: dict) -> None:
        """Draw one more step of the training."""
        self._chart.add(params["step"], params["loss"], params.get("held_out"))

    def observe(self, seeds) -> None:
        """Notice painting in these seeds, and structures that are deleted with theirs; None to stop."""
        painting = None if seeds is None else seeds.GetSegmentation()
        if painting is self._painting:
            return
        for event in (slicer.vtkSegmentation.SourceRepresentationModified, slicer.vtkSegmentation.SegmentRemoved):
            if self._painting is not None:
                self._panel.removeObserver(self._painting, event, self.on_painted)
            if painting is not None:
                self._panel.addObserver(painting, event, self.on_painted)
        self._painting = painting

    def observe_region(self, region) -> None:
        """Notice when this background region was dragged; None to stop."""
        if region is self._region:
            return
        dragged = slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent
        if self._region is not None:
            self._panel.removeObserver(self._region, dragged, self.on_painted)
        if region is not None:
            self._panel.addObserver(region, dragged, self.on_painted)
        self._region = region

    def forget(self) -> None:
        """The scene is gone, or another volume or painting was chosen: the next training starts from nothing."""
        self._pause.stop()
        self.observe(None)
        self.observe_region(None)
        self._trained = self._trained_on_all = False
        self._estimated = None
        self._chart.clear()

    def on_painted(self, _caller=None, _event=None) -> None:
        """Wait for the pause after a stroke, or after anything else that changes what is learnt."""
        self._pause.start()

    def on_pause(self) -> None:
        """Show the new states of the slices, and train again if that is wanted."""
        if self._panel.parameters is not None:
            with self._panel.messages.begun(asked=False), self._panel.messages.quietly_guarded(_("Training")):
                self._go_on()

    def _go_on(self) -> None:
        # The volume may have been cropped in place, of which no parameter tells.
        self.outdate_estimate()
        with self._panel.messages.quietly_guarded(_("Reading the painting")):
            self._panel.annotate.refresh()
        if not self._retrains():
            self._panel.preparation.begin()
        elif self._panel.runs.busy:
            # Segmenting all of a large scan must not keep the slices in view waiting.
            self._panel.runs.give_way()
            self._pause.start()
        else:
            self.train()

    def _retrains(self) -> bool:
        parameters = self._panel.parameters
        # Nobody but the user may take the computer to its limits, and not by a stroke: neither with this volume nor
        # with others, of which nothing may have been computed yet.
        unknown = not self._trained or (parameters.all_paintings and not self._trained_on_all)
        if not parameters.retrain_on_paint or (unknown and (self.too_large or parameters.all_paintings)):
            return False
        # A slice may be complete without any paint, from which alone nothing can be learnt.
        return self._panel.volume is not None and bool(self._panel.logic.engine.painted().any())

    def take_training(self, work) -> None:
        """Take over what was learnt, and tell what the user should know about it."""
        for warning in self._panel.logic.engine.finish_training(work)["warnings"]:
            self._panel.runs.warn(warning)

    def _preview(self, trained_on_all: bool) -> None:
        self._trained, self._trained_on_all = True, trained_on_all
        self._panel.preparation.trained()
        engine = self._panel.logic.engine
        slices = engine.shown_slices()
        then = self._panel.review.predict if self._panel.parameters.whole_volume else None
        if slices:
            self._panel.run(
                Job(
                    _("Preview"), lambda: engine.start_preview(slices), engine.finish_preview, then, needs_features=True
                ),
            )
        elif then is not None:
            then()

    def _show_estimate(self, answer: dict) -> None:
        from DiffusionSegLib.memory_warning import gpu_memory_warning, memory_warning

        label = self._panel.ui.estimateLabel
        text = _("The first run on this volume takes about {time} and {memory:.1f} GB of memory.")
        told = [text.format(time=in_words(answer["seconds"]), memory=answer["bytes"] / 2**30)]
        self._memory_warning = memory_warning(answer["bytes"], answer["available_bytes"])
        if self._panel.parameters.all_paintings:
            told.append(_("What the other painted volumes take comes on top."))
        told += [self._memory_warning, gpu_memory_warning(answer["gpu_bytes"], answer["available_gpu_bytes"])]
        label.text = " ".join(filter(None, told))
        label.styleSheet = ERROR_STYLE if self.too_large else ""
