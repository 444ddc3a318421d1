"""Which activations go to the device, with the CPU standing in for it."""

import pytest
import torch

from DiffusionSegLib.features import device_tier
from DiffusionSegLib.features.activations import ViewActivations

CPU = torch.device("cpu")


@pytest.fixture
def views():
    return tuple(ViewActivations(axis, {4: torch.zeros(4, 2, 2, 8).half()}) for axis in range(3))


@pytest.fixture
def moves(monkeypatch):
    """How often activations were moved."""
    moved = []
    move = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *given: moved.append(given) or move(self, *given))
    return moved


def test_views_go_to_the_device_until_it_is_full(views, moves):
    of_one = 4 * 2 * 2 * 8 * 2
    found = device_tier._on_device_within(views, CPU, 2.5 * of_one)
    assert len(moves) == 2
    assert [kept is view for kept, view in zip(found, views, strict=True)] == [False, False, True]
    for kept, view in zip(found, views, strict=True):
        torch.testing.assert_close(kept.levels[4], view.levels[4], rtol=0, atol=0)


def test_what_the_device_has_no_memory_for_stays_where_it_is(views, monkeypatch):
    def short(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(torch.Tensor, "to", short)
    assert device_tier._on_device_within(views, CPU, 1e9) == list(views)


def test_another_error_is_not_taken_for_a_shortage(views, monkeypatch):
    def broken(*_):
        raise RuntimeError("device lost")

    monkeypatch.setattr(torch.Tensor, "to", broken)
    with pytest.raises(RuntimeError, match="device lost"):
        device_tier._on_device_within(views, CPU, 1e9)


def test_on_the_cpu_nothing_is_copied(views, moves):
    assert device_tier.on_device(views, CPU) is views
    assert not moves
