"""What durations are held against: operations, bytes, memory, convolutions on their own."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from DiffusionSegLib.benchmark.speed.convolution_rate import ConvolutionLog
from DiffusionSegLib.benchmark.speed.cost import measured, wait_for
from DiffusionSegLib.benchmark.speed.machine_rates import MachineRates as Rates
from DiffusionSegLib.benchmark.speed.machine_rates import Roofline
from DiffusionSegLib.benchmark.speed.operation_count import OperationCount, counted, counted_by_steps
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.diffusion.unet_blocks import AttentionBlock
from DiffusionSegLib.linear_layer import linear

CPU = torch.device("cpu")


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.enable_grad])
def test_operations_and_bytes_of_a_product_are_counted_once(mode):
    first, second = torch.ones(20, 30), torch.ones(30, 40)
    with mode():
        count = counted(lambda: torch.matmul(first, second).T)
    assert count.operations == 2 * 20 * 30 * 40
    assert count.bytes == 4 * (20 * 30 + 30 * 40 + 20 * 40)


def test_operations_of_a_linear_layer_are_counted_by_whatever_library_it_is_computed():
    inputs, weight = torch.ones(5, 4, 30), torch.ones(40, 30)
    with torch.inference_mode():
        linear(inputs, weight)  # chooses the library, which takes some operations, too
        count = counted(lambda: linear(inputs, weight))
    assert count.operations == 2 * 20 * 30 * 40


def test_an_expanded_tensor_is_as_small_as_what_it_is_made_of():
    with OperationCount() as count:
        torch.ones(1).expand(1000).clone()
    assert count.bytes <= 4 * 1001 + 8


def test_of_a_table_only_the_rows_taken_are_read():
    table, rows = torch.ones(1000, 8), torch.tensor([3, 5])
    for take in (lambda: table[rows], lambda: table.index_select(0, rows)):
        assert counted(take).bytes == 2 * 4 * 2 * 8


def test_what_comes_before_the_first_step_is_counted_once():
    def work(steps):
        torch.ones(10, 10) @ torch.ones(10, 10)
        for _ in range(steps):
            torch.ones(2, 2) @ torch.ones(2, 2)

    found, expected = counted_by_steps(work, 50), counted(lambda: work(50))
    assert (found.operations, found.bytes) == (expected.operations, expected.bytes)


def test_peak_memory_is_that_of_the_work_also_after_larger_work():
    def work(floats):
        return lambda: float(torch.ones(floats).sum())

    _, large = measured(work(30_000_000), CPU)
    _, small = measured(work(5_000_000), CPU)
    if large.peak_bytes is None:
        pytest.skip("this system does not tell the peak of a process's memory")
    assert large.peak_bytes == pytest.approx(120e6, rel=0.2)
    assert small.peak_bytes == pytest.approx(20e6, rel=0.5)


def test_the_higher_floor_is_the_roof():
    rates = Rates(operations=100.0, bytes=10.0)
    count = counted(lambda: torch.ones(2, 2) @ torch.ones(2, 2))
    _, cost = measured(lambda: None, CPU)
    roof = Roofline.of(cost, count, rates)
    assert roof.by_operations == pytest.approx(16 / 100)
    assert roof.share == pytest.approx(max(roof.by_operations, roof.by_bytes) / cost.seconds)


def test_every_call_of_a_convolution_counts():
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1))
    log = ConvolutionLog()
    with log:
        for _ in range(3):
            network(torch.ones(1, 2, 8, 8))
    network(torch.ones(1, 2, 8, 8))
    assert sorted(log.calls.values()) == [3, 3]
    assert log.best_seconds(CPU) > 0


def test_operations_of_convolutions_and_attention_are_those_that_torch_counts():
    network = nn.Sequential(nn.Conv2d(2, 16, 3, padding=1), AttentionBlock(16, 2, groups=4))
    images, log = torch.randn(3, 2, 8, 6), ConvolutionLog()
    with log:
        network(images)
    assert log.operations == counted(lambda: network[0](images)).operations
    hidden = network[0](images)
    with sdpa_kernel(SDPBackend.MATH):
        assert log.attention_operations == counted(lambda: network[1](hidden)).operations
    assert log.relative_operations == 1 + log.attention_operations / log.operations


def test_convolutions_are_noted_in_the_precision_that_they_compute_in():
    log = ConvolutionLog()
    with log:
        nn.Conv2d(2, 4, 3).half()(torch.ones(1, 2, 8, 8).half())
    ((_, _, _, precision),) = log.calls
    assert precision == torch.float16
    assert log.best_seconds(CPU) > 0


def test_a_duration_on_a_gpu_ends_when_its_work_does(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    wait_for(CPU)
    assert not waited
    wait_for(torch.device("cuda"))
    assert waited == [torch.device("cuda")]


def test_a_cube_lies_in_the_middle_of_the_tissue():
    scan = SpeedScan.phantom(24, 1.0)
    cube = scan.middle(10)
    assert cube.tissue.shape == (10, 10, 10)
    np.testing.assert_array_equal(cube.image[0], scan.image[0, 7:17, 7:17, 7:17])
    assert scan.middle(99).tissue.shape == (24, 24, 24)
