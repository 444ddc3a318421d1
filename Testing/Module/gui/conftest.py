"""The panel in a faked Slicer."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

import pytest

slicer = pytest.importorskip("slicer", reason="the panel is tested over slicer-core")
pytest.importorskip("PySide6", reason="the panel is tested in PySide6")
os.environ["QT_QPA_PLATFORM"] = "offscreen"

# They need what was just asked for, and the platform must be set before Qt starts.
from slicer_fakes.application import a_scene, add_volume, fake_slicer, the_application  # noqa: E402
from slicer_fakes.engine import FakeClient, FakeEngine  # noqa: E402


@pytest.fixture(scope="session")
def application():
    return the_application()


@pytest.fixture
def qt(application, tmp_path):
    with fake_slicer(tmp_path) as qt:
        yield qt


@pytest.fixture
def scene(qt):
    slicer.mrmlScene, *alive = a_scene()
    yield slicer.mrmlScene
    # Widgets and scene may be collected in any order: neither must call the other any more.
    slicer.mrmlScene.RemoveAllObservers()
    del alive


@pytest.fixture
def volume(scene):
    return add_volume(scene)


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def module(scene, client, monkeypatch):
    """The module's file, with the engine, the client and the check of torch faked."""
    core, backend_client = ModuleType("DiffusionSegCore"), ModuleType("DiffusionSegLib.client")
    core.DiffusionSegEngine = FakeEngine

    def start_client(command, environment):
        client.command, client.environment, client.alive = command, environment, True
        return client

    backend_client.WorkerClient = start_client
    monkeypatch.setitem(sys.modules, "DiffusionSegCore", core)
    monkeypatch.setitem(sys.modules, "DiffusionSegLib.client", backend_client)
    return importlib.import_module("DiffusionSeg")


@pytest.fixture
def open_panel(qt, module, monkeypatch, request):
    """Builds the panel as Slicer does when the module is opened, torch being there for what was asked for.

    What begins unasked finds it only with the fixture `painting_prepares`.
    """
    opened = []

    def build():
        from DiffusionSegWidgets.dependencies import Dependencies, NotInstalledError

        monkeypatch.setattr(Dependencies, "ensure", lambda _self, done, _failed: done())
        if "painting_prepares" not in request.fixturenames:
            missing = NotInstalledError("PyTorch is not installed.")
            monkeypatch.setattr(Dependencies, "if_there", lambda _self, _done, failed: failed(missing))
        parent = qt.QWidget()
        qt.QVBoxLayout(parent)
        parent.isEntered = True
        panel = module.DiffusionSegWidget(parent)
        panel.setup()
        panel.enter()
        opened.append(panel)
        return panel

    yield build
    for panel in opened:
        panel.cleanup()


@pytest.fixture
def painting_prepares(module, monkeypatch):
    """Everything is installed, also for what is begun without being asked for."""
    from DiffusionSegWidgets.dependencies import Dependencies

    monkeypatch.setattr(Dependencies, "if_there", lambda _self, done, _failed: done())


@pytest.fixture
def panel(volume, open_panel):
    return open_panel()


@pytest.fixture
def engine(panel) -> FakeEngine:
    return panel.logic.engine


@pytest.fixture
def settle(application, panel):
    """Lets the panel poll until nothing goes on any more, or the client holds its call back."""

    def wait() -> None:
        for _round in range(20):
            application.processEvents()
            panel.runs.poll()

    return wait


@pytest.fixture
def proposed(panel):
    panel.ui.proposeButton.click()
    return panel


@pytest.fixture
def trained(proposed, settle):
    proposed.ui.trainButton.click()
    settle()
    return proposed


@pytest.fixture
def press_and_hold(panel, client, settle):
    """Presses a button of a connected panel; what that begins goes on until the test ends it."""

    def press(button) -> None:
        panel.ui.connectButton.click()
        settle()
        client.held_back = True
        button.click()
        settle()

    return press


@pytest.fixture
def agreeing(monkeypatch):
    """A user who says OK to every question."""
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda _text: True)
