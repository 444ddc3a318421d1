"""A fake of the Slicer application around the real slicer-core: puts the missing names in place and takes them away."""

from __future__ import annotations

import sys
import unittest
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import slicer
from PySide6 import QtWidgets

from slicer_fakes.parameter_node_wrapper import make_module
from slicer_fakes.pythonqt_shim import make_qt
from slicer_fakes.widgets import CTK_WIDGETS, MRML_WIDGETS

MODULE_FOLDER = Path(__file__).parents[2] / "DiffusionSeg"


class FakeApplication:
    """slicer.app, as far as the module and slicer.util ask it anything.

    Args:
        qt: the shimmed module.
        cache: a folder for slicer.app.cachePath and the settings.
    """

    applicationName = "Slicer"

    def __init__(self, qt: ModuleType, cache: Path) -> None:
        self.cachePath = str(cache)
        self.main_window = qt.QMainWindow()
        self.main_window.setObjectName("qSlicerMainWindow")
        self.testing = True
        self.settings = qt.QSettings(str(cache / "Slicer.ini"), qt.QSettings.IniFormat)
        self.connected: dict[str, list] = {}

    def connect(self, signal: str, slot) -> None:
        self.connected.setdefault(signal, []).append(slot)

    def processEvents(self) -> None:
        """The tests let events happen themselves."""

    def startupEnvironment(self) -> SimpleNamespace:
        """Stands in for the QProcessEnvironment that Slicer gives."""
        found = {"PATH": "/usr/bin", "HOME": "/home/anna"}
        return SimpleNamespace(keys=lambda: list(found), value=found.get)

    def userSettings(self):
        return self.settings

    def topLevelWidgets(self) -> list:
        return [self.main_window]

    def testingEnabled(self) -> bool:
        return self.testing

    def layoutManager(self):
        found = slicer.mrmlScene.GetNodesByClass("vtkMRMLSliceNode")
        nodes = [found.GetItemAsObject(number) for number in range(found.GetNumberOfItems())]
        views = {node.GetLayoutName(): node for node in nodes}
        return SimpleNamespace(
            sliceViewNames=lambda: list(views),
            sliceWidget=lambda name: SimpleNamespace(
                mrmlSliceNode=lambda: views[name],
                mrmlSliceCompositeNode=lambda: slicer.mrmlScene.GetFirstNode(name, "vtkMRMLSliceCompositeNode"),
            ),
            mrmlSliceLogics=lambda: SimpleNamespace(GetNumberOfItems=lambda: 0),
        )


class FakeScriptedLoadableModule:
    def __init__(self, parent) -> None:
        self.parent = parent

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FOLDER / "Resources" / name)


class FakeScriptedLoadableModuleWidget:
    def __init__(self, parent=None) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        """The developer's section would be built here."""

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FOLDER / "Resources" / name)


class FakeScriptedLoadableModuleLogic:
    def __init__(self, _parent=None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self):
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node.SetName(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        node.SetAttribute("ModuleName", self.moduleName)
        return node


def _module(name: str, **contents) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def a_scene() -> tuple:
    """A scene with Slicer's three slice views, and what must stay alive for it."""
    scene = slicer.vtkMRMLScene()
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
    segmentations.SetMRMLScene(scene)
    for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
        for kind in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
            node = scene.AddNewNodeByClass(kind, name)
            node.SetLayoutName(name)
            node.SetSingletonTag(name)
        scene.GetFirstNode(name, "vtkMRMLSliceNode").SetOrientation(orientation)
    return scene, application, segmentations


def add_volume(scene, name: str = "T1", shape: tuple[int, int, int] = (60, 50, 40)):
    """A volume of zeros, `shape` being I, J, K."""
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(volume, np.zeros(shape[::-1], np.int16))
    return volume


@contextmanager
def fake_slicer(cache: Path):
    """Slicer's missing names, as long as the context lasts; yields the shimmed qt module."""
    qt = make_qt({**MRML_WIDGETS, **CTK_WIDGETS})
    modules = {
        "qt": qt,
        "ctk": _module("ctk", **CTK_WIDGETS),
        "slicer.i18n": _module("slicer.i18n", tr=lambda text: text, translate=lambda _context, text: text),
        "slicer.parameterNodeWrapper": make_module(),
        "slicer.packaging": _module("slicer.packaging", load_requirements=None, pip_check=None, pip_ensure=None),
        "slicer.ScriptedLoadableModule": _module(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=FakeScriptedLoadableModule,
            ScriptedLoadableModuleWidget=FakeScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic=FakeScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest=unittest.TestCase,
        ),
    }
    names = {name.removeprefix("slicer."): module for name, module in modules.items() if name.startswith("slicer.")}
    names |= {**MRML_WIDGETS, "app": FakeApplication(qt, cache), "mrmlScene": None}
    before = set(sys.modules)
    sys.modules.update(modules)
    sys.path.insert(0, str(MODULE_FOLDER))
    for name, value in names.items():
        setattr(slicer, name, value)
    try:
        yield qt
    finally:
        for name in names:
            delattr(slicer, name)
        sys.path.remove(str(MODULE_FOLDER))
        for name in [*modules, *(found for found in set(sys.modules) - before if found.startswith("DiffusionSeg"))]:
            if not name.startswith("DiffusionSegLib"):
                sys.modules.pop(name, None)


def the_application() -> QtWidgets.QApplication:
    """The one QApplication of the process."""
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
