"""The Slicer module: paint nine slices, get the volume back."""

from __future__ import annotations

from pathlib import Path

import slicer
import vtk
from DiffusionSegTesting.whole_story import WholeStory
from DiffusionSegWidgets.advanced_section import AdvancedSection
from DiffusionSegWidgets.annotate_section import AnnotateSection
from DiffusionSegWidgets.backend import make_backend_importable
from DiffusionSegWidgets.bundle_choice import chosen_bundle
from DiffusionSegWidgets.connectors import CheckedNodesConnector, ChoiceConnector, PathTextConnector
from DiffusionSegWidgets.dependencies import Dependencies
from DiffusionSegWidgets.input_section import InputSection, first_scan
from DiffusionSegWidgets.job import Job
from DiffusionSegWidgets.messages import MessageLine
from DiffusionSegWidgets.other_volumes_section import OtherVolumesSection
from DiffusionSegWidgets.parameters import DiffusionSegParameters
from DiffusionSegWidgets.preparation import Preparation
from DiffusionSegWidgets.review_section import ReviewSection
from DiffusionSegWidgets.run_control import RunControl
from DiffusionSegWidgets.segment_editor import SeedsEditor
from DiffusionSegWidgets.shortcuts import COMPLETE, NEXT_SLICE, TRAIN, Shortcuts
from DiffusionSegWidgets.train_section import TrainSection
from DiffusionSegWidgets.volume_display import show_volume
from DiffusionSegWidgets.whole_path import tell_whole_path
from DiffusionSegWidgets.worker_link import WorkerLink
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class DiffusionSeg(ScriptedLoadableModule):
    """What Slicer's module list and help tab show."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DiffusionSeg")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["The DiffusionSeg authors"]
        self.parent.helpText = Path(self.resourcePath("Help/tutorial.html")).read_text(encoding="utf-8")
        self.parent.acknowledgementText = _(
            "After J. Cho et al., Label-Efficient 3D Brain Segmentation via Complementary 2D Diffusion Models with "
            "Orthogonal Views, arXiv 2407.12329."
        )
        slicer.app.connect("startupCompleted()", self.register_sample_data)

    def register_sample_data(self) -> None:
        """Offer the phantoms in the module Sample Data; called once Slicer has started and has that module."""
        make_backend_importable()
        from DiffusionSegCore.sample_data import register
        from SampleData import SampleDataLogic

        register(SampleDataLogic, self.resourcePath("Icons/Phantom.png"))


class DiffusionSegWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: its sections share the controls, the parameters, the logic and the one job that may run."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.parameters = None
        self._gui_tag = None

    def setup(self) -> None:
        """Build the panel; called once, when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/DiffusionSeg.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        self.logic = DiffusionSegLogic()
        self.messages = MessageLine(self.ui.messageLabel)
        self.dependencies = Dependencies(
            self.resourcePath("requirements.txt"), needed=lambda: not self.logic.runs_elsewhere
        )
        self.editor = SeedsEditor(self.ui.segmentEditorWidget)
        self.input = InputSection(self)
        self.annotate = AnnotateSection(self)
        self.train = TrainSection(self)
        self.review = ReviewSection(self)
        self.other_volumes = OtherVolumesSection(self)
        self.advanced = AdvancedSection(self)
        self.runs = RunControl(
            self.ui,
            self.logic,
            self.dependencies,
            self.messages,
            on_change=self.on_work_changed,
            on_curve=self.train.add_curve_point,
        )
        self.preparation = Preparation(self)
        for field in (self.ui.bundleFolderEdit, self.ui.segmenterPathEdit, self.ui.workFolderEdit):
            tell_whole_path(field)
        self._shortcuts = Shortcuts(
            {
                NEXT_SLICE: self.annotate.next_slice,
                COMPLETE: self.annotate.toggle_complete,
                TRAIN: self.ui.trainButton.click,
            }
        )
        # After the editor has its own parameter node, as Slicer's documentation asks for.
        self.editor.edit(None, None)
        panel.setMRMLScene(slicer.mrmlScene)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.on_scene_start_close)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.on_scene_renewed)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.on_scene_start_import)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.on_scene_renewed)
        self.take_parameters()

    def cleanup(self) -> None:
        """End the worker; called when Slicer closes or the module is reloaded."""
        self.exit()
        self.train.forget()
        self.runs.abandon()
        self.removeObservers()
        self.logic.close_worker()

    def enter(self) -> None:
        """Called whenever the module is opened."""
        self.take_parameters()
        # Another module may have put the volume under a transform: before the next stroke the painting goes along.
        with self.messages.quietly_guarded(_("Reading the painting")):
            self.annotate.refresh()
        self.editor.enter()
        self._shortcuts.install()

    def exit(self) -> None:
        """Called whenever another module is opened; work that is going on goes on."""
        self._shortcuts.remove()
        self.editor.leave()
        self.disconnect_controls()
        self.input.leave()

    def take_parameters(self) -> None:
        """Connect the controls to the scene's parameter node, which is made if there is none."""
        if self.parameters is None:
            self.parameters = self.logic.getParameterNode()
        if self._gui_tag is not None:
            return
        # The wrapper remembers nodes, also those that were deleted while another module was open, until this.
        self.parameters.parameterNode.Modified()
        if self.parameters.input_volume is None:
            self.parameters.input_volume = first_scan(slicer.mrmlScene, self.logic.engine.shows_uncertainty)
        self._gui_tag = self.parameters.connectParametersToGui(self._controls())
        self.addObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self.on_parameters_changed)
        self.on_parameters_changed()

    def disconnect_controls(self) -> None:
        """Let the controls and the parameter node no longer follow each other."""
        if self._gui_tag is None:
            return
        self.removeObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self.on_parameters_changed)
        self.parameters.disconnectGui(self._gui_tag)
        self._gui_tag = None

    def on_scene_start_close(self, _caller=None, _event=None) -> None:
        """Stop everything and hold on to no node."""
        self.runs.abandon()
        self.preparation.forget()
        self.disconnect_controls()
        self.parameters = None
        self.train.forget()
        self.review.forget()
        self.input.forget()
        self.editor.release()
        self.logic.forget_scene()

    def on_scene_start_import(self, _caller=None, _event=None) -> None:
        """Put the task away: the scene that is added may bring another one, node by node."""
        if self.parameters is not None:
            self.editor.rest()
            self.review.hide_uncertainty()
            self.disconnect_controls()
            self.logic.engine.put_away()

    def on_scene_renewed(self, _caller=None, _event=None) -> None:
        """Take up what an emptied or loaded scene holds."""
        if self.parameters is not None:
            self.logic.engine.bring_back()
        self.disconnect_controls()
        self.parameters = None
        self.train.forget()
        self.review.forget()
        self.input.forget()
        if self.parent.isEntered:
            self.take_parameters()
            self.editor.enter()
        elif self.runs.busy:
            # A scene was added behind another module's back; what is running will ask what is wanted.
            self.parameters = self.logic.getParameterNode()

    def on_parameters_changed(self, _caller=None, _event=None) -> None:
        """Let what was chosen take effect."""
        if self.parameters is None or slicer.mrmlScene.IsImporting():
            return
        self.logic.take_settings(self.parameters)
        self.advanced.show_device()
        self.train.outdate_estimate()
        self.preparation.follow()
        self.input.update()
        self.refresh()

    def on_work_changed(self) -> None:
        """Work began or ended: what could not be changed meanwhile is caught up on."""
        if self.parameters is not None and not slicer.mrmlScene.IsImporting():
            self.input.update()
        self.refresh()

    def on_brush(self, _caller=None, _event=None) -> None:
        """Let nobody paint on one volume while looking at another."""
        if self.editor.brush_in_hand:
            self.return_to_volume()

    def run(self, job: Job) -> None:
        """Do long work; a worker that has not been greeted yet is asked for its device and models first."""
        if self.runs.busy:
            self.runs.run(job)
        elif not self.logic.greeted:
            self.runs.run(self.advanced.greeting(then=lambda: self.run(job)))
        elif job.needs_features:
            self.when_described(lambda: self.runs.run(job))
        else:
            self.runs.run(job)

    def when_described(self, then) -> None:
        """Go on once the model's licence is shown, which only the worker may know."""
        folder = self.input.bundles.to_ask
        if folder is None:
            then()
        else:
            self.runs.run(self.input.describing(folder, then))

    @property
    def volume(self):
        """The volume that the engine works on; None if none was chosen, or the chosen one was refused."""
        return self.parameters.input_volume if self.parameters is not None and self.input.opened else None

    def return_to_volume(self) -> bool:
        """Let the views show the volume that the engine works on; gives whether another one was in its place."""
        returned = self.volume is not None and self.logic.engine.return_to_views()
        if returned:
            show_volume(self.volume, alone=True)
            self.review.show_uncertainty()
            self.input.show_doubts()
            self.annotate.enable()
        return returned

    def show_seeds(self) -> None:
        """Let the user paint the seeds of the chosen volume."""
        volume = self.volume
        seeds = self.logic.engine.seeds if volume is not None else None
        self.editor.edit(seeds, volume)
        if not self.hasObserver(self.editor.node, vtk.vtkCommand.ModifiedEvent, self.on_brush):
            self.addObserver(self.editor.node, vtk.vtkCommand.ModifiedEvent, self.on_brush)
        self.train.observe(seeds)
        with self.messages.quietly_guarded(_("Reading the painting")):
            self.annotate.refresh()

    def refresh(self) -> None:
        """Enable what can be done now."""
        opened = self.volume is not None
        ready = opened and not self.runs.busy
        for button in (self.ui.proposeButton, self.ui.addSlicesButton, self.ui.fitRegionButton):
            button.enabled = opened
        for button in (self.ui.trainButton, self.ui.estimateButton, self.ui.saveSegmenterButton):
            button.enabled = ready
        for selector in (self.ui.inputVolumeSelector, self.ui.furtherChannelsSelector, self.ui.segmentationSelector):
            selector.enabled = not self.runs.busy
        self.review.enable(ready=ready)
        self.preparation.show()
        self.input.show_doubts()
        idle = self.parameters is not None and not self.runs.busy
        for button in (self.ui.loadSegmenterButton, self.ui.connectButton, self.ui.restartButton):
            button.enabled = idle
        self.ui.deleteWorkButton.enabled = idle
        self.ui.applyToOtherButton.enabled = idle and self.parameters.other_volume is not None

    def _controls(self) -> dict:
        """The control of each parameter, by the parameter's name."""
        controls = {
            widget.property("SlicerParameterName"): widget
            for widget in vars(self.ui).values()
            if widget.property("SlicerParameterName")
        }
        return {
            **controls,
            "further_channels": CheckedNodesConnector(self.ui.furtherChannelsSelector),
            "bundle": ChoiceConnector(self.ui.bundleSelector),
            "bundle_folder": PathTextConnector(self.ui.bundleFolderEdit),
        }


class DiffusionSegLogic(ScriptedLoadableModuleLogic, WorkerLink):
    """What the panel does to the scene, through the engine; it needs no panel."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        WorkerLink.__init__(self)
        self._engine = None
        make_backend_importable()

    def getParameterNode(self) -> DiffusionSegParameters:  # noqa: N802
        """The scene's parameters, with names and types."""
        return DiffusionSegParameters(super().getParameterNode())

    @property
    def engine(self):
        """The engine on Slicer's scene, made when it is first asked for."""
        if self._engine is None:
            from DiffusionSegCore import DiffusionSegEngine

            kept = str(self.work_folder), self.work_bytes
            self._engine = DiffusionSegEngine(slicer.mrmlScene, self.living_client, *kept)
        return self._engine

    def take_settings(self, parameters: DiffusionSegParameters) -> None:
        """Let the engine work with what was chosen."""
        settings = self.engine.settings
        wanted = {
            "bundle": chosen_bundle(parameters),
            "device": parameters.device,
            "keep_largest": parameters.keep_largest,
        }
        for name, value in wanted.items():
            # Each is written into the scene, which tells of the change: only what differs.
            if getattr(settings, name) != value:
                setattr(settings, name, value)

    def cancel(self) -> None:
        """Stop the running work: what the engine was going to ask for next, and what the worker does now."""
        if self._engine is not None:
            self._engine.cancel()
        super().cancel()

    def forget_scene(self) -> None:
        """The scene was closed: the next one gets an engine of its own, and keeps the worker."""
        self._engine = None

    def close_worker(self) -> None:
        """End the worker; the engine, which knows what Apply did, goes on with the next one."""
        super().close_worker()
        if self._engine is not None:
            self._engine.renew_worker(str(self.work_folder), self.work_bytes)


class DiffusionSegTest(WholeStory, ScriptedLoadableModuleTest):
    """The self-test that Slicer runs."""

    def test_parameters_survive_in_the_scene(self) -> None:
        """A value that was set is there for whoever looks into the scene next."""
        DiffusionSegLogic().getParameterNode().stride = 7
        assert DiffusionSegLogic().getParameterNode().stride == 7
