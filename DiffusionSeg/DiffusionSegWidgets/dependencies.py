"""PyTorch and the other packages that the worker needs: are they there, do they work, and how to get them."""

from __future__ import annotations

import logging

import slicer
from slicer.i18n import tr as _

from DiffusionSegWidgets.backend import python_command
from DiffusionSegWidgets.messages import ActionableError

TORCH_REQUIREMENT = ">=2.2"
# Only a computation proves an installation: a torn one can still be imported.
TORCH_CHECK = (
    "import torch; assert float(torch.ones(3).sum()) == 3.0; print('computes'); "
    "import numpy; assert torch.from_numpy(numpy.ones(3)).numpy().sum() == 3.0; print('works', torch.__version__)"
)


class NotInstalledError(ActionableError):
    """Something that the worker needs was never installed."""


class Dependencies:
    """Checks once a session, in the worker's interpreter and without blocking, and installs with consent.

    Args:
        requirements_path: the requirements file of everything but PyTorch.
        needed: whether it is Slicer's Python at all that the worker will run in.
    """

    def __init__(self, requirements_path: str, *, needed) -> None:
        self._requirements_path, self._needed = requirements_path, needed
        self._works = False

    def forget(self) -> None:
        """Check again the next time."""
        self._works = False

    def ensure(self, done, failed) -> None:
        """Call `done()` once everything works, or `failed(error)` with the way out; at once or later.

        What is missing is installed if the user agrees.
        """
        if self._works or not self._needed():
            done()
            return
        try:
            self._ensure_packages()
        except Exception as error:  # Slicer's own exceptions differ from version to version
            failed(_declined_or_broken(error))
            return
        self._check_torch(lambda output, code: self._judge(output, code, done, failed, may_install=True))

    def if_there(self, done, failed) -> None:
        """Call `done()` if everything works already, or `failed(error)`; at once or later.

        Nothing is installed and nobody is asked.
        """
        if self._works or not self._needed():
            done()
            return
        try:
            self._check_packages()
            self._check_torch(lambda output, code: self._judge(output, code, done, failed, may_install=False))
        except Exception as error:  # Slicer's own exceptions differ from version to version
            failed(error)

    def _ensure_packages(self) -> None:
        try:
            from slicer.packaging import load_requirements, pip_ensure
        except ImportError:
            message = _("DiffusionSeg needs 3D Slicer 5.12 or newer to install its packages.")
            raise ActionableError(message, _("Update 3D Slicer.")) from None
        pip_ensure(load_requirements(self._requirements_path), requester="DiffusionSeg")

    def _check_packages(self) -> None:
        from slicer.packaging import load_requirements, pip_check

        if not pip_check(load_requirements(self._requirements_path)):
            raise NotInstalledError(_("The packages that DiffusionSeg needs are not installed."))

    def _check_torch(self, completed) -> None:
        lines: list[str] = []
        slicer.util.launchConsoleProcess(
            [*python_command(), "-c", TORCH_CHECK],
            useStartupEnvironment=False,
            blocking=False,
            logCallback=lines.append,
            completedCallback=lambda code: completed("\n".join(lines), code),
        )

    def _judge(self, output: str, code: int, done, failed, *, may_install: bool) -> None:
        problem = torch_problem(output, code)
        if problem is None:
            self._works = True
            done()
        elif problem is MISSING and may_install:
            try:
                install_torch()
            except Exception as error:  # pip, the network or the disk
                failed(_declined_or_broken(error))
                return
            self._check_torch(lambda out, again: self._judge(out, again, done, failed, may_install=False))
        elif problem is MISSING:
            failed(NotInstalledError(*problem))
        else:
            logging.warning("The check of PyTorch ended with code %s:\n%s", code, output)
            failed(ActionableError(*problem))


WITHOUT_NUMPY = (
    "PyTorch works, but not together with NumPy: the two were made for different versions of each other.",
    "Update PyTorch in the module PyTorch Utils (uninstall it, then install it again), restart Slicer and try again.",
)
MISSING = (
    "PyTorch is not installed.",
    "Press the button again and agree to install it, or install it in the module PyTorch Utils.",
)
BROKEN = (
    "PyTorch is installed but does not work, perhaps because its installation was interrupted.",
    "Uninstall it in the module PyTorch Utils, restart Slicer and try again.",
)
PATH_TOO_LONG = (
    "PyTorch could not be installed completely because the path of Slicer's folder is too long for Windows.",
    "Install Slicer in a short folder such as C:\\Slicer, then try again.",
)


def torch_problem(output: str, code: int) -> tuple[str, str] | None:
    """What is wrong with PyTorch, as message and hint, or None if it works.

    Args:
        output: what the check printed.
        code: its exit status.
    """
    if code == 0 and "works" in output:
        return None
    if "No module named 'torch'" in output:
        return MISSING
    if "WinError 206" in output:
        return PATH_TOO_LONG
    return WITHOUT_NUMPY if "computes" in output else BROKEN


def install_torch() -> None:
    """Install PyTorch through the PyTorch extension, which asks first.

    Raises:
        ActionableError: if the extension is missing or the user declined.
    """
    try:
        import PyTorchUtils
    except ImportError:
        message = _("PyTorch is installed by the extension PyTorch, which is missing.")
        hint = _("Install PyTorch in the Extensions Manager, restart Slicer and try again.")
        raise ActionableError(message, hint) from None
    torch_logic = PyTorchUtils.PyTorchUtilsLogic()
    if torch_logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH_REQUIREMENT) is None:
        raise ActionableError(_("PyTorch was not installed."), _("Without it nothing can be trained."))


def _declined_or_broken(error: Exception) -> ActionableError:
    if isinstance(error, ActionableError):
        return error
    if "declined" in str(error):
        message = _("The packages that DiffusionSeg needs were not installed.")
        return ActionableError(message, _("Press the button again and agree."))
    if "WinError 206" in str(error):
        return ActionableError(*PATH_TOO_LONG)
    logging.error("Installation failed: %s", error, exc_info=error)
    message = _("The packages that DiffusionSeg needs could not be installed.")
    return ActionableError(message, _("Check the network connection and try again; View / Error log tells more."))
