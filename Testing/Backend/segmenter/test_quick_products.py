import pytest
import torch

from DiffusionSegLib.segmenter import quick_products
from DiffusionSegLib.segmenter.quick_products import lowered, product


@pytest.fixture(params=[True, False], ids=["with bfloat16", "without"])
def quick(request, monkeypatch):
    monkeypatch.setattr(quick_products, "_cpu_multiplies_bfloat16", lambda: request.param)
    return request.param


def test_products_are_taken_in_bfloat16_where_the_processor_has_it_and_told_in_single_precision(quick):
    torch.manual_seed(0)
    left, right = torch.randn(3, 50, 20), torch.randn(3, 20, 8)
    found = product(lowered(left), lowered(right))
    assert found.dtype == torch.float32
    error = float((found - torch.bmm(left, right)).norm() / found.norm())
    assert (1e-4 < error < 1e-2) if quick else error < 1e-6


def test_double_precision_stays(quick):
    left, right = torch.randn(2, 5, 4).double(), torch.randn(2, 4, 3).double()
    torch.testing.assert_close(product(lowered(left), lowered(right)), torch.bmm(left, right))


def test_a_torch_that_does_not_tell_takes_single_precision(monkeypatch):
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert not quick_products._cpu_multiplies_bfloat16.__wrapped__()
