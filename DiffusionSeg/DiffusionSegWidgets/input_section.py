"""Input: the scan, its further channels, the segmentation and the model."""

from __future__ import annotations

import contextlib

import qt
from slicer.i18n import tr as _

from DiffusionSegWidgets.bundle_choice import BundleChoice
from DiffusionSegWidgets.job import Job, QuietJob
from DiffusionSegWidgets.messages import ERROR_STYLE
from DiffusionSegWidgets.volume_display import show_volume, volumes_in_views

# So long nobody has typed in the model's folder before the worker is asked about it.
TYPING_MILLISECONDS = 500


class InputSection:
    """Hands what was chosen to the engine.

    Args:
        panel: the module's widget.
    """

    def __init__(self, panel) -> None:
        self._panel = panel
        self._set: tuple | None = None
        # The volume of this scene that was worked on last.
        self._latest = None
        # Whether the engine works on what was chosen: it keeps the last volume where it refuses the next one.
        self.opened = True
        self.bundles = BundleChoice(panel.ui, runs_elsewhere=lambda: panel.logic.runs_elsewhere)
        self._typing = qt.QTimer()
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MILLISECONDS)
        self._typing.timeout.connect(self.on_folder_typed)
        panel.ui.bundleFolderEdit.currentPathChanged.connect(lambda _path: self._typing.start())
        panel.ui.doubtsLabel.styleSheet = ERROR_STYLE

    def forget(self) -> None:
        """The scene is gone."""
        self._typing.stop()
        self._set, self._latest, self.opened = None, None, True

    def on_folder_typed(self) -> None:
        """Ask a worker that is there about the model in a folder of its computer."""
        folder = self.bundles.to_ask
        if folder is None or not self._panel.logic.greeted:
            return
        start, finish = self.asking(folder)
        self._panel.runs.run_quietly(
            QuietJob(_("Asking about the model"), start, finish, None, show=nothing, ended=nothing, brief=True)
        )

    def describing(self, folder: str, then) -> Job:
        """The job that asks the worker about the model in a folder of its computer."""
        return Job(_("Asking about the model"), *self.asking(folder), then)

    def asking(self, folder: str) -> tuple:
        """How that is asked, and what is done with the answer."""
        engine = self._panel.logic.engine
        return lambda: engine.start_describing(folder), lambda call: self.bundles.take_description(folder, call)

    def show_doubts(self) -> None:
        """Tell why structures may be missed, for as long as their scan is chosen or in view: no click clears this."""
        label = self._panel.ui.doubtsLabel
        label.text = "" if self._panel.volume is None else " ".join(self._panel.logic.engine.doubts)
        label.visible = bool(label.text)

    def update(self) -> None:
        """Give the engine the volumes, if they are others than before."""
        parameters = self._panel.parameters
        volume = parameters.input_volume
        channels = [node for node in parameters.further_channels if still_there(node) and node is not volume]
        chosen = (volume, channels, parameters.segmentation)
        if chosen == self._set or self._panel.runs.busy:
            return
        before, self._set = self._set, chosen
        if before is not None and (before[0] is not volume or before[2] is not parameters.segmentation):
            # Another painting may mean other structures by the same labels.
            self._panel.train.forget()
        if before is not None and before[0] is not volume:
            self._panel.review.forget()
        if volume is not None:
            self.opened = False
            with self._panel.messages.guarded(_("Opening the volume")):
                self._open(before)
                self.opened = True
        self._panel.show_seeds()
        # The segment editor needs one for each volume that is tried.
        self._panel.logic.engine.remove_untouched_seeds()

    def leave(self) -> None:
        """Leave no empty segmentation behind where nothing was painted; entering makes another one.

        Work that goes on would make it when it ends, as entering does.
        """
        if self._panel.parameters is not None and self._panel.runs.idle:
            self._panel.logic.engine.remove_untouched_seeds(also_own=True)
            if self._panel.logic.engine.seeds is None:
                self._panel.editor.edit(None, None)

    def _open(self, before: tuple | None) -> None:
        volume, channels, segmentation = self._set
        another = before is None or before[0] is not volume
        if before is not None and another and segmentation is before[2]:
            # It belongs to the volume before; the new one has its own, or gets one.
            segmentation = None
        latest, self._latest = self._latest, volume
        follows_another = latest is not None and latest is not volume
        if follows_another:
            self._keep_result_choice()
            # Neither channels nor colours nor result of the volume before may meet what is found in this one.
            channels = []
            self._clear_channels()
            self._panel.review.hide_uncertainty()
            self._panel.parameters.result_segmentation = None
        returned = self._panel.logic.engine.return_to_views()
        warnings = self._panel.logic.engine.set_input([volume, *channels], segmentation)
        seeds = self._panel.logic.engine.seeds
        self._set = (volume, channels, seeds)
        self._panel.parameters.segmentation = seeds
        if follows_another:
            self._panel.parameters.result_segmentation = self._panel.logic.engine.result
        if another or returned:
            show_volume(volume, alone=follows_another or returned)
        self._panel.review.list_suggestions()
        if returned and not follows_another:
            self._panel.review.show_uncertainty()
        if warnings:
            self._panel.messages.inform(" ".join(warnings))

    def _keep_result_choice(self) -> None:
        """Keep at the volume before the segmentation that was chosen for its result, if that can take it."""
        from DiffusionSegLib.errors import DiffusionSegError

        chosen, engine = self._panel.parameters.result_segmentation, self._panel.logic.engine
        if chosen is not None and chosen is not engine.result:
            # One that cannot take a result is told of at Apply.
            with contextlib.suppress(DiffusionSegError):
                engine.set_result(chosen)

    def _clear_channels(self) -> None:
        volume, _channels, segmentation = self._set
        self._set = (volume, [], segmentation)
        node = self._panel.parameters.parameterNode
        # The list is written node by node: told of each, the panel would open the volume half-way.
        state = node.StartModify()
        self._panel.parameters.further_channels = []
        node.EndModify(state)


def nothing(*_told) -> None:
    """For work that shows nothing."""


def first_scan(scene, shows_uncertainty):
    """The first grey-value volume that the slice views show, or else of the scene; None if there is none.

    Args:
        scene: where to look.
        shows_uncertainty: whether a volume shows what was found in another one, and is no scan itself.
    """
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    nodes = [scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode") for index in range(count)]
    # Label maps and colour images are of derived classes.
    scans = [node for node in nodes if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not shows_uncertainty(node)]
    in_view = volumes_in_views()
    return next(iter([*(node for node in scans if node in in_view), *scans]), None)


def still_there(node) -> bool:
    """Whether a node of a list was not deleted: the parameter node wrapper notices that late."""
    return node is not None and node.GetScene() is not None
