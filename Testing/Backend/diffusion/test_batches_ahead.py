import threading
from contextlib import closing

import numpy as np
import pytest
import torch
from conftest import a_head
from small_denoiser import SMALL

from DiffusionSegLib.diffusion import batches_ahead as module
from DiffusionSegLib.diffusion.batches_ahead import batches_ahead
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig

CPU = torch.device("cpu")


@pytest.fixture
def three_ahead(monkeypatch):
    """Batches are made ahead as for a GPU."""
    monkeypatch.setitem(module.AHEAD, "cpu", 3)


def test_batches_come_in_the_order_of_their_steps_and_were_begun_ahead(three_ahead):
    begun, fifth = [], threading.Event()

    def make(step):
        begun.append(step)
        if step == 5:
            fifth.set()
        return (torch.tensor(step),)

    with closing(batches_ahead(make, range(2, 9), CPU)) as batches:
        assert next(batches)[0] == 2
        assert fifth.wait(10)
        assert [int(batch[0]) for batch in batches] == [3, 4, 5, 6, 7, 8]
    assert sorted(begun) == list(range(2, 9))


def test_no_more_are_made_than_are_waited_for(three_ahead):
    begun = []
    with closing(batches_ahead(lambda step: begun.append(step) or (), range(100), CPU)) as batches:
        for _ in range(5):
            next(batches)
    assert len(begun) <= 5 + 3


def test_few_steps_are_all_made(three_ahead):
    assert len(list(batches_ahead(lambda _: (), range(2), CPU))) == 2


def test_what_fails_fails_in_its_turn_and_threads_end(three_ahead):
    def make(step):
        if step == 1:
            raise ValueError("injected")
        return (torch.tensor(step),)

    before, cores = threading.active_count(), torch.get_num_threads()
    batches = batches_ahead(make, range(50), CPU)
    assert next(batches)[0] == 0
    with pytest.raises(ValueError, match="injected"):
        next(batches)
    assert threading.active_count() == before
    assert torch.get_num_threads() == cores


def test_on_the_cpu_batches_are_made_when_they_are_learnt():
    begun = []
    batches = batches_ahead(lambda _: begun.append(threading.get_ident()) or (), range(3), CPU)
    next(batches)
    assert begun == [threading.get_ident()]


def test_a_training_whose_batches_are_made_ahead_learns_the_same(three_ahead, monkeypatch):
    image, labels = a_head()
    config = PretrainingConfig(unet=SMALL, crop=16, batch=4, steps=6)

    def losses():
        scan = (image / image.max() * 2 - 1)[None].astype(np.float16)
        return [float(loss) for loss in Pretraining([scan], [labels[None].astype(np.int16)], config, CPU).learn()]

    ahead = losses()
    monkeypatch.undo()
    assert ahead == losses()
