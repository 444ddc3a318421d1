"""Long work in the worker: progress, time left, Cancel; Slicer stays usable meanwhile."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.in_sight import bring_into_sight
from DiffusionSegWidgets.job import Job, QuietJob
from DiffusionSegWidgets.stage_words import stage_in_words
from DiffusionSegWidgets.time_left import TimeLeft, in_words

POLL_MILLISECONDS = 100


class RunControl:
    """Runs one job at a time and shows how far it is; a quiet one shows itself, and lets others wait for its end.

    Args:
        ui: the panel's controls.
        logic: has `poll()` and `cancel()`.
        dependencies: has `ensure(done, failed)` and `if_there(done, failed)`.
        messages: where errors are told.
        on_change: called when work begins or ends.
        on_curve: called with the parameters of each `curve` notification.
    """

    def __init__(self, ui, logic, dependencies, messages, *, on_change, on_curve) -> None:
        self._ui, self._logic, self._dependencies, self._messages = ui, logic, dependencies, messages
        self._on_change, self._on_curve = on_change, on_curve
        self._job: Job | None = None
        self._waiting: Job | None = None
        self._going_on = self._abandoned = False
        self._warnings: list[str] = []
        self._time_left = TimeLeft()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MILLISECONDS)
        self._timer.timeout.connect(self.poll)
        self._scroll = qt.QTimer()
        self._scroll.setSingleShot(True)
        self._scroll.setInterval(0)
        self._scroll.timeout.connect(self.scroll)
        ui.cancelButton.clicked.connect(self.cancel)
        ui.runFrame.visible = False

    @property
    def busy(self) -> bool:
        """Whether work is going on that the user asked for."""
        return self._waiting is not None or (self._job is not None and not self._job.quiet)

    @property
    def idle(self) -> bool:
        """Whether nothing goes on, not even quietly."""
        return self._job is None

    def run(self, job: Job) -> None:
        """Start a job, once PyTorch is known to work; refused while another one is running that is not quiet."""
        if self.busy:
            self._messages.inform(_("Still busy; press Cancel to stop."))
            return
        job.asked = self._messages.asked
        if not self._going_on:
            self._messages.clear()
            self._warnings.clear()
            if job.asked:
                # Once the panel has made room for them; what begins by itself while the user paints moves nothing.
                self._scroll.start()
        if self._job is None:
            self._start(job)
            return
        self._waiting = job
        self._show(job)
        if not job.needs_features:
            self.stop_quiet()
        self._on_change()

    def run_quietly(self, job: QuietJob) -> None:
        """Start a job that nobody waits for, if what it needs is installed; does nothing while another one runs."""
        if self._job is not None:
            return
        if not self._going_on:
            self._warnings.clear()
        self._job = job
        self._on_change()
        self._dependencies.if_there(lambda: self._begin(job), lambda error: self._end(job, error))

    def warn(self, text: str) -> None:
        """Tell what the user should know about the run, beside what was told of it before."""
        if text not in self._warnings:
            self._warnings.append(text)
        self._messages.inform(" ".join(self._warnings))

    def stop_quiet(self) -> None:
        """Let the quiet job end, if there is one, and nothing quiet follow it."""
        job = self._job
        if job is None or not job.quiet or job.cancelled:
            return
        job.cancelled = True
        if job.call is not None and not job.brief:
            with self._messages.quietly_guarded(job.doing):
                self._logic.cancel()

    def cancel(self) -> None:
        """Stop the work; a worker that does not listen is ended."""
        job = self._job
        if self._waiting is not None:
            self._give_up_waiting()
        elif job is not None and not job.quiet:
            job.cancelled = True
            self._ui.cancelButton.enabled = False
            self._ui.stageLabel.text = _("Stopping")
            if job.call is None:
                self._end(job, None)
            else:
                with self._messages.guarded(_("Stopping")):
                    self._logic.cancel()

    def scroll(self) -> None:
        """Scroll to progress and Cancel, if work goes on."""
        if self.busy:
            bring_into_sight(self._ui.runFrame)

    def give_way(self) -> None:
        """Stop work that will be done anew anyway."""
        if self._job is not None and self._job.gives_way and not self._job.cancelled:
            self.cancel()

    def abandon(self) -> None:
        """Stop the work and touch the scene no more: it is being closed, or the worker is."""
        job, self._job, self._waiting = self._job, None, None
        self._timer.stop()
        self._ui.runFrame.visible = False
        if job is not None and job.call is not None:
            self._abandoned = True
            with self._messages.guarded(job.doing):
                self._logic.cancel()

    def poll(self) -> None:
        """Take in what the worker has told since the last time."""
        job = self._job
        if job is None or job.call is None:
            self._timer.stop()
            return
        try:
            for notification in self._logic.poll():
                self._take(**notification)
        except Exception as error:  # a chart that cannot be drawn must not leave the panel busy
            self._complain(job, error)
        try:
            done = job.call.done
        except Exception as error:  # asking also sends what comes next, of which anything may be missing by now
            self._timer.stop()
            self._end(job, error)
            return
        if done:
            self._finish(job)

    def _start(self, job: Job) -> None:
        self._job = job
        self._show(job)
        self._on_change()
        self._dependencies.ensure(lambda: self._begin(job), lambda error: self._end(job, error))

    def _show(self, job: Job) -> None:
        self._time_left = TimeLeft()
        self._show_stage(job.doing, 0, 0)
        self._ui.cancelButton.enabled = True
        self._ui.runFrame.visible = True

    def _begin(self, job: Job) -> None:
        if job is not self._job:
            return
        if job.cancelled:
            self._end(job, None)
            return
        try:
            if self._abandoned:
                # What that still had to tell is about another scan.
                self._logic.poll()
                self._abandoned = False
            job.call = job.start()
        except Exception as error:  # told in the panel, whatever it is
            self._end(job, error)
            return
        self._timer.start()

    def _give_up_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        self.stop_quiet()
        self._put_away()
        self._messages.inform(_("{doing} was stopped.").format(doing=waiting.doing))
        self._on_change()

    def _finish(self, job: Job) -> None:
        self._timer.stop()
        try:
            job.finish(job.call)
        except Exception as error:  # told in the panel, whatever it is
            self._end(job, error)
        else:
            self._end(job, None)
            if not job.cancelled:
                self._go_on(job)

    def _go_on(self, job: Job) -> None:
        # What one job was warned of is still to be read when the next one of the same click has begun.
        self._going_on = True
        try:
            if job.then is not None:
                with self._messages.begun(asked=job.asked), self._messages.quietly_guarded(job.doing):
                    job.then()
        finally:
            self._going_on = False

    def _end(self, job: Job, error: Exception | None) -> None:
        if job is not self._job:
            return
        self._job = None
        waiting, self._waiting = self._waiting, None
        self._put_away()
        if job.quiet:
            if job.cancelled or error is not None:
                job.ended(None if job.cancelled else error)
        elif job.cancelled:
            self._messages.inform(_("{doing} was stopped.").format(doing=job.doing))
        elif error is not None:
            self._complain(job, error)
        if waiting is not None:
            self._start(waiting)
        else:
            self._on_change()

    def _complain(self, job: Job, error: Exception) -> None:
        with self._messages.begun(asked=job.asked):
            self._messages.complain(error, job.doing)

    def _put_away(self) -> None:
        self._ui.runFrame.visible = False
        slicer.util.showStatusMessage("")

    def _take(self, method: str, params: dict, about: str = "") -> None:
        job = self._job
        if method == "progress":
            told = params["stage"], params["done"], params["total"]
            if job.quiet and not job.cancelled:
                job.show(*told)
            if self._waiting is not None or not (job.quiet or job.cancelled):
                self._show_stage(*told)
        elif method == "curve":
            self._on_curve(params)
        elif method == "warning":
            told = f"{params['message']} {params.get('hint', '')}".strip()
            self.warn(f"{about}: {told}" if about else told)

    def _show_stage(self, stage: str, done: float, total: float) -> None:
        bar = self._ui.progressBar
        # A maximum of 0 is Qt's way of saying busy without knowing how far.
        bar.maximum = 1000 if total else 0
        bar.value = round(1000 * done / total) if total else 0
        words = stage_in_words(stage)
        seconds = self._time_left.seconds(stage, done, total) if total else None
        text = words if seconds is None else _("{stage}, {time} left").format(stage=words, time=in_words(seconds))
        self._ui.stageLabel.text = text
        slicer.util.showStatusMessage(f"DiffusionSeg: {text}")
