"""Linear layers against torch's own, whichever library computes them."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from DiffusionSegLib import linear_layer
from DiffusionSegLib.linear_layer import linear


@pytest.fixture(params=["as this machine has it", "by torch alone"])
def library(request, monkeypatch):
    if request.param == "by torch alone":
        monkeypatch.setattr(linear_layer, "_one_dnn", lambda: None)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(("rows", "width_in", "width_out"), [(1, 1, 1), (777, 61, 64), (28, 64, 4096), (5, 0, 3)])
def test_it_is_a_linear_layer_and_a_relu(library, rows, width_in, width_out, biased, relu):
    torch.manual_seed(0)
    inputs, weight = torch.randn(rows, width_in), torch.randn(width_in, width_out).T
    bias = torch.randn(width_out) if biased else None
    expected = F.linear(inputs.double(), weight.double(), None if bias is None else bias.double()).float()
    with torch.inference_mode():
        found = linear(inputs, weight, bias, relu=relu)
    torch.testing.assert_close(found, expected.relu() if relu else expected, rtol=1e-5, atol=1e-5)


def zeros(*_):
    return torch.zeros(2, 2)


def without_arguments():
    return torch.zeros(2, 2)


@pytest.mark.parametrize("operator", [zeros, without_arguments, None], ids=["wrong", "other arguments", "none"])
def test_an_operator_that_is_not_the_expected_one_is_not_used(monkeypatch, operator):
    operators = SimpleNamespace() if operator is None else SimpleNamespace(_linear_pointwise=SimpleNamespace())
    if operator is not None:
        operators._linear_pointwise.default = operator
    monkeypatch.setattr(torch.ops, "mkldnn", operators)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert linear_layer._one_dnn.__wrapped__() is None


def test_without_avx_512_torch_chooses(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert linear_layer._one_dnn.__wrapped__() is None
