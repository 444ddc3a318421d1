"""PyTorch and packages: found by a real computation, installed with consent, and the way out told otherwise."""

from __future__ import annotations

import sys
import time
from types import ModuleType

import pytest
import slicer

REQUIREMENTS = "requirements.txt"


@pytest.fixture
def packaging(qt, monkeypatch):
    """slicer.packaging that has everything; `asked` tells what it was asked to install."""
    fake = sys.modules["slicer.packaging"]
    fake.asked = []
    monkeypatch.setattr(fake, "load_requirements", lambda path: [path])
    fake.there = True
    monkeypatch.setattr(fake, "pip_check", lambda found: found == [REQUIREMENTS] and fake.there)
    monkeypatch.setattr(fake, "pip_ensure", lambda found, requester: fake.asked.append((found, requester)))
    return fake


@pytest.fixture
def checks(monkeypatch, qt):
    """Answers to the checks of torch, one after another, in place of processes."""
    answers = []

    def launch(_command, *, useStartupEnvironment, blocking, logCallback, completedCallback):  # noqa: N803
        assert not useStartupEnvironment
        assert not blocking
        output, code = answers.pop(0)
        logCallback(output)
        completedCallback(code)

    monkeypatch.setattr(slicer.util, "launchConsoleProcess", launch)
    return answers


@pytest.fixture
def dependencies(qt, packaging):
    from DiffusionSegWidgets.dependencies import Dependencies

    return Dependencies(REQUIREMENTS, needed=lambda: True)


@pytest.fixture
def torch_extension(qt, monkeypatch):
    """The PyTorch extension; `installed` is what it returns, and `asked` how it was called."""
    module = ModuleType("PyTorchUtils")
    module.installed, module.asked = ModuleType("torch"), []

    class PyTorchUtilsLogic:
        def installTorch(self, **options):  # noqa: N802
            module.asked.append(options)
            return module.installed

    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return module


def outcome(dependencies) -> str:
    """Either "works" or the message."""
    found = []
    dependencies.ensure(lambda: found.append("works"), lambda error: found.append(f"{error.message} {error.hint}"))
    assert len(found) == 1
    return found[0]


def test_a_torch_that_computes_is_asked_only_once(dependencies, packaging, checks):
    checks.append(("works 2.9.0", 0))
    assert outcome(dependencies) == "works"
    assert outcome(dependencies) == "works"
    assert packaging.asked == [([REQUIREMENTS], "DiffusionSeg")]


def test_a_missing_torch_comes_through_its_extension_with_consent(dependencies, checks, torch_extension):
    checks += [("ModuleNotFoundError: No module named 'torch'", 1), ("works 2.9.0", 0)]
    assert outcome(dependencies) == "works"
    assert torch_extension.asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.2"}]


def test_a_declined_torch_is_told(dependencies, checks, torch_extension):
    torch_extension.installed = None
    checks.append(("ModuleNotFoundError: No module named 'torch'", 1))
    assert outcome(dependencies).startswith("PyTorch was not installed.")


def test_a_missing_extension_is_told(dependencies, checks, monkeypatch):
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    checks.append(("ModuleNotFoundError: No module named 'torch'", 1))
    assert "Install PyTorch in the Extensions Manager" in outcome(dependencies)


@pytest.mark.parametrize(
    ("output", "code", "told"),
    [
        ("ImportError: DLL load failed while importing _C", 1, "is installed but does not work"),
        ("AttributeError: module 'torch' has no attribute 'ones'", 1, "is installed but does not work"),
        ("", -11, "is installed but does not work"),
        ("computes\nRuntimeError: Numpy is not available", 1, "PyTorch works, but not together with NumPy"),
        ("OSError: [WinError 206] The filename or extension is too long", 1, "too long for Windows"),
    ],
)
def test_a_broken_torch_is_recognised_and_not_installed_over(dependencies, checks, torch_extension, output, code, told):
    checks.append((output, code))
    assert told in outcome(dependencies)
    assert not torch_extension.asked


def test_a_torch_that_is_still_missing_after_its_installation_is_told(dependencies, checks, torch_extension):
    checks += [("No module named 'torch'", 1)] * 2
    assert outcome(dependencies).startswith("PyTorch is not installed.")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("User declined package installation"), "were not installed. Press the button again and agree."),
        (OSError("[WinError 206] The filename is too long"), "too long for Windows"),
        (RuntimeError("no network"), "Check the network connection"),
    ],
)
def test_packages_that_do_not_come_are_told(dependencies, packaging, checks, monkeypatch, error, told):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(packaging, "pip_ensure", fail)
    assert told in outcome(dependencies)


def test_an_old_slicer_is_told(dependencies, monkeypatch):
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    assert "needs 3D Slicer 5.12 or newer" in outcome(dependencies)


def test_a_worker_elsewhere_needs_nothing_here(qt, checks):
    from DiffusionSegWidgets.dependencies import Dependencies

    assert outcome(Dependencies(REQUIREMENTS, needed=lambda: False)) == "works"


def test_the_real_check_finds_the_torch_of_this_interpreter(dependencies, application, monkeypatch):
    found = []
    dependencies.ensure(lambda: found.append("works"), found.append)
    end = time.monotonic() + 60
    while not found and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)
    assert found == ["works"]


@pytest.mark.parametrize(
    ("source", "told"), [("raise ImportError('half installed')", "does not work"), ("", "does not work"), (None, "not")]
)
def test_the_real_check_finds_out_a_torn_torch(qt, application, tmp_path, monkeypatch, source, told):
    from DiffusionSegWidgets.dependencies import TORCH_CHECK, torch_problem

    if source is not None:
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").write_text(source)
    lines, codes = [], []
    isolated = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {TORCH_CHECK}"]
    slicer.util.launchConsoleProcess(
        isolated, blocking=False, useStartupEnvironment=False, logCallback=lines.append, completedCallback=codes.append
    )
    end = time.monotonic() + 60
    while not codes and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)
    assert told in torch_problem("\n".join(lines), codes[0])[0]


def quiet_outcome(dependencies) -> str:
    """Either "works" or the kind of the error."""
    found = []
    dependencies.if_there(lambda: found.append("works"), lambda error: found.append(type(error).__name__))
    assert len(found) == 1
    return found[0]


def test_what_works_is_found_quietly_and_not_looked_at_again(dependencies, packaging, checks):
    checks.append(("works 2.9.0", 0))
    assert [quiet_outcome(dependencies) for _time in range(2)] == ["works", "works"]
    assert outcome(dependencies) == "works"
    assert packaging.asked == []


def test_nothing_is_installed_quietly(dependencies, packaging, checks, torch_extension):
    packaging.there = False
    assert quiet_outcome(dependencies) == "NotInstalledError"
    packaging.there = True
    checks.append(("ModuleNotFoundError: No module named 'torch'", 1))
    assert quiet_outcome(dependencies) == "NotInstalledError"
    assert (packaging.asked, torch_extension.asked) == ([], [])


def test_a_broken_torch_and_an_old_slicer_are_told_quietly(dependencies, checks, monkeypatch):
    checks.append(("Segmentation fault", -11))
    assert quiet_outcome(dependencies) == "ActionableError"
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    assert quiet_outcome(dependencies) == "ModuleNotFoundError"
