import pytest
from worker_in_process import train_briefly

from DiffusionSegLib.allocator import keep_large_blocks


@pytest.fixture(scope="module")
def memory_as_in_a_worker():
    keep_large_blocks()


@pytest.fixture
def short_training(monkeypatch):
    train_briefly(monkeypatch)
