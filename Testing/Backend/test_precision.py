import pytest
import torch

from DiffusionSegLib.precision import converted, inference_precision, trains_in_bfloat16

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("device", "kept_as", "precision"),
    [
        (CPU, torch.float16, torch.float32),
        (GPU, torch.float16, torch.float16),
        (GPU, torch.float32, torch.float32),
    ],
)
def test_denoisers_compute_in_half_precision_on_a_gpu_unless_more_is_kept(device, kept_as, precision):
    assert inference_precision(device, kept_as) == precision


@pytest.mark.parametrize(("capability", "reduced"), [((7, 5), False), ((8, 0), True), ((8, 9), True), ((12, 0), True)])
def test_only_processors_that_know_bfloat16_train_in_it(monkeypatch, capability, reduced):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert trains_in_bfloat16(GPU) == reduced
    assert not trains_in_bfloat16(CPU)


def test_what_half_precision_has_no_number_for_becomes_the_nearest_that_it_has():
    found = converted(torch.tensor([1e6, -70_000.0, 0.5, torch.nan]), torch.float16)
    torch.testing.assert_close(
        found, torch.tensor([65504, -65504, 0.5, torch.nan]).half(), rtol=0, atol=0, equal_nan=True
    )


def test_in_single_precision_nothing_is_changed():
    values = torch.tensor([1e6, 0.1])
    assert torch.equal(converted(values, torch.float32), values)
