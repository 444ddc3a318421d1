"""Advanced: the worker, where it runs and what it keeps on disk."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.job import Job
from DiffusionSegWidgets.machine_settings import KEPT_GIGABYTES, KEPT_WORK, WORKER_COMMAND, keep_setting, setting

SLOW_STYLE = "color: #b00020;"


class AdvancedSection:
    """The worker's state and its settings.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        self._hello: dict | None = None
        panel.ui.workerCommandEdit.text = setting(WORKER_COMMAND)
        panel.ui.workerCommandEdit.textChanged.connect(self.keep_worker_command)
        panel.ui.workFolderEdit.currentPath = setting(KEPT_WORK)
        panel.ui.workFolderEdit.currentPathChanged.connect(self.keep_work_folder)
        panel.ui.workLimitSpinBox.value = panel.logic.work_gigabytes
        panel.ui.workLimitSpinBox.valueChanged.connect(self.keep_work_limit)
        panel.ui.connectButton.clicked.connect(self.connect_worker)
        panel.ui.restartButton.clicked.connect(self.restart)
        panel.ui.deleteWorkButton.clicked.connect(self.delete_work)
        self.show_device()

    def keep_worker_command(self, command: str) -> None:
        """Start the worker like that from the next start on."""
        keep_setting(WORKER_COMMAND, command)
        self._panel.input.bundles.show()

    def keep_work_folder(self, folder: str) -> None:
        """Keep work there from the worker's next start on."""
        keep_setting(KEPT_WORK, folder)

    def keep_work_limit(self, _value=None) -> None:
        """Let kept work grow as large as is chosen, from the next click on."""
        # Qt 5 has two signals of this name, with a number and with its text.
        keep_setting(KEPT_GIGABYTES, str(self._panel.ui.workLimitSpinBox.value))
        self._panel.logic.engine.limit_kept_work(self._panel.logic.work_bytes)

    def connect_worker(self) -> None:
        """Start the worker and ask what it can do."""
        self._panel.runs.run(self.greeting(then=lambda: self._panel.when_described(self._panel.train.estimate_ahead)))

    def greeting(self, then=None) -> Job:
        """The job that starts the worker and asks what it can do."""
        return Job(_("Starting the worker"), self._panel.logic.engine.start_hello, self.take_greeting, then)

    def take_greeting(self, call) -> None:
        """Take over what a worker says of itself."""
        hello, _arrays = call.result()
        self._panel.logic.greeted = True
        self._hello = hello
        self.show_device()
        self._panel.input.bundles.offer(hello["bundles"])

    def restart(self) -> None:
        """End the worker and start it anew, with the settings as they are now."""
        with self._panel.messages.guarded(_("Ending the worker")):
            self._panel.runs.abandon()
            self._panel.preparation.forget()
            self._panel.logic.close_worker()
            self._panel.dependencies.forget()
            self._hello = None
            self.show_device()
        self.connect_worker()

    def delete_work(self) -> None:
        """Delete the features that are kept on disk, and the worker's copies of painting and segmenter."""
        doing, logic = _("Deleting kept work"), self._panel.logic
        question = _("Delete all kept work? Features take minutes to compute again; scenes and segmenter files stay.")
        if not slicer.util.confirmOkCancelDisplay(question):
            return
        if logic.runs_elsewhere:
            # They lie on the worker's disk, which may be another computer's.
            self._panel.run(Job(doing, logic.engine.start_forgetting, self._show_deleted))
            return
        with self._panel.messages.guarded(doing):
            # This ends the worker, and with it what it does quietly.
            self._panel.runs.abandon()
            self._panel.preparation.forget()
            self._tell_deleted(logic.delete_kept_work())

    def show_device(self) -> None:
        """Tell where it computes, and why not on the GPU."""
        label, hello, parameters = self._panel.ui.deviceLabel, self._hello, self._panel.parameters
        label.styleSheet = ""
        if hello is None:
            label.text = _("The worker has not been started yet; it starts by itself when it is needed.")
        elif parameters is not None and parameters.device == "cpu" and not hello["why_no_gpu"]:
            label.text = _("Runs on the processor, as chosen under Advanced; a GPU could be used.")
        elif hello["why_no_gpu"]:
            label.styleSheet = SLOW_STYLE
            text = _("Runs on the processor ({device}), which is slow. No GPU: {reason}.")
            label.text = text.format(device=hello["device"], reason=hello["why_no_gpu"].rstrip("."))
        else:
            label.text = _("Runs on the GPU ({device}).").format(device=hello["device"])

    def _show_deleted(self, call) -> None:
        self._tell_deleted(call.result()[0]["bytes"])

    def _tell_deleted(self, count: int) -> None:
        self._panel.messages.inform(_("{megabytes:.0f} MB were deleted.").format(megabytes=count / 2**20))
