"""Which device is chosen, where the CPU stands in for a GPU that computes in whatever way a test needs."""

import pytest
import torch

from DiffusionSegLib import devices
from DiffusionSegLib.devices import available_gpu_memory, choose_device, give_back_cache, gpu_problem
from DiffusionSegLib.errors import DiffusionSegError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def a_gpu(monkeypatch):
    """A GPU that computes, with a call that sets its free gigabytes."""

    def free(gigabytes):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (int(gigabytes * 2**30), 8 * 2**30))

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 0)
    monkeypatch.setattr(devices, "_compute_a_little", lambda: None)
    free(6)
    return free


def test_auto_takes_a_gpu_that_computes(a_gpu):
    assert choose_device("auto") == GPU
    assert gpu_problem() is None


def test_auto_leaves_a_full_gpu_alone_and_tells_why_but_who_asks_for_it_gets_it(a_gpu):
    a_gpu(0.25)
    assert choose_device("auto") == CPU
    assert "only 0.2 GB of its memory are free" in gpu_problem()
    assert choose_device("cuda") == GPU


def test_what_this_process_keeps_of_a_gpu_counts_as_free(a_gpu, monkeypatch):
    a_gpu(0.25)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 2**30)
    assert choose_device("auto") == GPU
    assert available_gpu_memory(GPU) == 1.25 * 2**30


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.cuda.DeferredCudaCallError("no kernel image\nmore"), "no kernel image"),
        (RuntimeError("CUDNN_STATUS_NOT_INITIALIZED"), "CUDNN_STATUS_NOT_INITIALIZED"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_a_gpu_that_fails_at_its_first_computation_is_not_taken_and_told_of(a_gpu, monkeypatch, error, told):
    def failing():
        raise error

    monkeypatch.setattr(devices, "_compute_a_little", failing)
    assert choose_device("auto") == CPU
    with pytest.raises(DiffusionSegError, match=rf"failed \({told}\)\."):
        choose_device("cuda")


def test_the_first_computation_is_a_convolution_and_a_product_in_half_precision(monkeypatch):
    ones, seen = torch.ones, []

    def on_the_cpu(shape, *, device, dtype):
        seen.append((device, dtype))
        return ones(shape, dtype=dtype)

    monkeypatch.setattr(torch, "ones", on_the_cpu)
    monkeypatch.setattr(torch, "mm", lambda *given: seen.append([part.shape for part in given]) or ones(1))
    devices._compute_a_little()
    assert seen == [("cuda", torch.float16)] * 2 + [[(64, 8), (8, 64)]]


def test_products_stay_in_single_precision_where_something_switched_tf32_on():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        choose_device("cpu")
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def test_what_torch_keeps_of_a_gpu_is_given_back_and_a_cpu_has_nothing_of_the_kind(monkeypatch):
    given = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given.append(True))
    give_back_cache(CPU)
    assert not given
    give_back_cache(GPU)
    assert given
