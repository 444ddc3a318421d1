"""Ctrl-C as it is pressed: while ITK computes, not while Python does."""

import signal
import threading

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.itk_interruption import interruptible

NOISE = sitk.GetImageFromArray(np.random.default_rng(0).random((48, 48, 48)).astype(np.float32))


def aligned(on_iteration=lambda: None, *, iterations=100_000, image=NOISE):
    """An image aligned to its mirror image, which takes many minutes if nothing stops it."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetOptimizerAsGradientDescent(1e-6, iterations, convergenceWindowSize=iterations + 1)
    method.SetInitialTransform(sitk.AffineTransform(3))
    with interruptible(method, on_iteration):
        return method.Execute(image, sitk.Flip(image, [True, False, False]))


@pytest.fixture
def ctrl_c_meanwhile(obeyed_ctrl_c):
    pressed = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    pressed.start()
    yield
    pressed.join()


@pytest.mark.usefixtures("ctrl_c_meanwhile")
def test_ctrl_c_stops_an_alignment_and_nothing_is_printed(capfd):
    with pytest.raises(KeyboardInterrupt):
        aligned()
    assert capfd.readouterr() == ("", "")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_raised_meanwhile_comes_through_and_no_iteration_is_told_after_it(capfd):
    told = []

    def refuse():
        told.append(0)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        aligned(refuse)
    assert len(told) == 1
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_alignments_own_comes_through():
    with pytest.raises(RuntimeError, match="SimpleITK"):
        aligned(image=sitk.Image(48, 48, 48, sitk.sitkVectorFloat32))


def test_ctrl_c_that_the_program_ignores_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        aligned(lambda: signal.raise_signal(signal.SIGINT), iterations=2)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_alignment_may_run_on_any_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(aligned(iterations=2)))
    thread.start()
    thread.join()
    assert len(found) == 1
