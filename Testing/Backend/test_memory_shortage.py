import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.memory_shortage import is_memory_shortage, shortage_told


@pytest.mark.parametrize("allocate", [lambda: torch.empty(2**50), lambda: np.empty(2**50)], ids=["torch", "numpy"])
def test_what_does_not_fit_into_memory_is_a_shortage(allocate):
    with pytest.raises((RuntimeError, MemoryError)) as found:
        allocate()
    assert is_memory_shortage(found.value)


def test_the_memory_of_a_gpu_can_be_short_too():
    assert is_memory_shortage(torch.OutOfMemoryError("CUDA out of memory"))


@pytest.mark.parametrize("said", ["Failed to allocate memory for image.", "std::bad_alloc"])
def test_what_itk_has_no_memory_for_is_a_shortage(said):
    assert is_memory_shortage(RuntimeError(f"Exception thrown in SimpleITK ImageFileReader_Execute: {said}"))


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "FIND was unable to find an engine to execute this computation",
        "GET was unable to find an engine to execute this computation",
    ],
)
def test_drivers_and_libraries_tell_of_a_shortage_in_words_alone(message):
    assert is_memory_shortage(RuntimeError(message))


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("a title: out of memory")])
def test_other_errors_are_none(error):
    assert not is_memory_shortage(error)


def test_a_shortage_becomes_a_problem_that_somebody_can_act_on_and_other_errors_stay():
    with pytest.raises(DiffusionSegError, match="memory does not suffice"), shortage_told():
        np.empty(2**50)
    with pytest.raises(RuntimeError, match="shapes"), shortage_told():
        raise RuntimeError("shapes do not match")
