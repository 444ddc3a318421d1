"""Which activations go to the device, with the CPU standing in for it."""

import gc
import weakref

import pytest
import torch

from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.device_tier import DeviceTier, copied_within
from DiffusionSegLib.features.needed_pixels import NeededPixels

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
BYTES_OF_A_VIEW = 4 * 2 * 2 * 4 + 17 * 8 * 2


def pixels():
    return NeededPixels(torch.arange(1, 17, dtype=torch.int32).view(4, 2, 2), torch.randn(17, 8).half())


@pytest.fixture
def views():
    return tuple(ViewActivations(axis, {4: pixels()}) for axis in range(3))


@pytest.fixture
def moves(monkeypatch):
    """How often activations were moved."""
    moved = []
    move = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *given: moved.append(given) or move(self, *given))
    return moved


def test_views_go_to_the_device_until_it_is_full(views, moves):
    found = copied_within(views, CPU, 2.5 * BYTES_OF_A_VIEW)
    assert len(moves) == 4
    assert [copy is None for copy in found] == [False, False, True]
    for copy, view in zip(found[:2], views[:2], strict=True):
        assert torch.equal(copy.levels[4].rows, view.levels[4].rows)
        assert torch.equal(copy.levels[4].values, view.levels[4].values)


def test_what_the_device_has_no_memory_for_stays_where_it_is(views, monkeypatch):
    def short(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(torch.Tensor, "to", short)
    assert copied_within(views, CPU, 1e9) == [None] * 3


def test_another_error_is_not_taken_for_a_shortage(views, monkeypatch):
    def broken(*_):
        raise RuntimeError("device lost")

    monkeypatch.setattr(torch.Tensor, "to", broken)
    with pytest.raises(RuntimeError, match="device lost"):
        copied_within(views, CPU, 1e9)


def test_on_the_cpu_nothing_is_copied(views, moves):
    assert DeviceTier().on_device(views, CPU) is views
    assert not moves


@pytest.fixture
def asked(monkeypatch):
    """How the free memory of a GPU, which holds two views, is asked for; what goes to it stays on the CPU."""
    asked = []
    move = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, _: move(self, "cpu", copy=True))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: asked.append("cache given back"))
    monkeypatch.setattr(
        torch.cuda, "mem_get_info", lambda _: [asked.append("free memory"), (4.5 * BYTES_OF_A_VIEW, 0)][1]
    )
    return asked


def test_views_are_copied_once_and_what_did_not_fit_stays_where_it_is(views, asked):
    tier = DeviceTier()
    first, again = tier.on_device(views, GPU), tier.on_device(views, GPU)
    assert asked == ["cache given back", "free memory"]
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert [copy is view for copy, view in zip(first, views, strict=True)] == [False, False, True]


def test_some_of_the_views_that_are_there_are_not_copied_again(views, asked):
    tier = DeviceTier()
    copies = tier.on_device(views, GPU)
    assert tier.on_device(views[1:], GPU) == copies[1:]
    assert len(asked) == 2


def test_other_views_or_another_device_take_the_place_of_those_that_were_there(views, asked):
    tier = DeviceTier()
    copy = weakref.ref(tier.on_device(views[:1], GPU)[0])
    tier.on_device(views[1:], GPU)
    gc.collect()
    assert copy() is None
    assert tier.on_device(views[1:], torch.device("cuda:1"))[0] is not tier.on_device(views[1:], GPU)[0]


def test_copies_go_with_the_views_or_when_room_is_made(views, asked):
    tier = DeviceTier()
    kept = views[0]
    copies = [weakref.ref(copy) for copy in tier.on_device((kept, ViewActivations(1, kept.levels)), GPU)]
    gc.collect()
    assert [copy() is None for copy in copies] == [False, True]
    tier.clear()
    gc.collect()
    assert copies[0]() is None
