"""The panel over the engine itself, whose worker alone is faked."""

from __future__ import annotations

import importlib

import pytest
from Module.fake_worker_client import FakeWorkerClient
from Module.mrml import slicers_scene


@pytest.fixture
def module(scene, monkeypatch):
    import DiffusionSegLib.client

    monkeypatch.setattr(DiffusionSegLib.client, "WorkerClient", lambda **_command: FakeWorkerClient())
    return importlib.import_module("DiffusionSeg")


@pytest.fixture
def scene(qt, tmp_path):
    with slicers_scene(tmp_path, {"Red": "Axial"}) as scene:
        yield scene
