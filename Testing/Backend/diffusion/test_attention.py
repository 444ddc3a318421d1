"""Attention against torch's own, whichever library computes its products."""

import pytest
import torch
import torch.nn.functional as F

from DiffusionSegLib import linear_layer
from DiffusionSegLib.diffusion import attention
from DiffusionSegLib.diffusion.attention import attended


def of_one_projection(images, positions, heads=3, units=32):
    """Query, key and value as the denoiser has them: views of one projection."""
    together = torch.randn(images, positions, heads * 3 * units)
    return together.unflatten(2, (heads, 3, units)).transpose(1, 2).unbind(3)


@pytest.mark.parametrize("library", ["as this machine has it", "by torch alone"])
@pytest.mark.parametrize("positions", [100, 256, 572, 1030])
def test_it_is_attention(monkeypatch, library, positions):
    if library == "by torch alone":
        monkeypatch.setattr(linear_layer, "_one_dnn", lambda: None)
    torch.manual_seed(0)
    query, key, value = of_one_projection(2, positions)
    with torch.inference_mode():
        found = attended(query, key, value)
    expected = F.scaled_dot_product_attention(query.double(), key.double(), value.double()).float()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_it_can_be_learnt_through(monkeypatch):
    monkeypatch.setattr(attention, "MANY_POSITIONS", 1)
    query, key, value = (part.requires_grad_() for part in map(torch.clone, of_one_projection(1, 20)))
    attended(query, key, value).sum().backward()
    assert float(query.grad.abs().sum()) > 0
    assert float(value.grad.sum()) == pytest.approx(value.numel(), rel=1e-4)
