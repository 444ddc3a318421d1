"""An engine on a scene of its own, with a fake worker."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import a_head, an_affine

slicer = pytest.importorskip("slicer", reason="the module's logic is tested on slicer-core")

from DiffusionSegCore import DiffusionSegEngine  # noqa: E402
from DiffusionSegCore.voxel_geometry import VoxelGeometry  # noqa: E402
from Module.fake_worker_client import FakeWorkerClient  # noqa: E402
from Module.mrml import AScene, a_segmentation, a_volume_node, masks_by_name, paint_slices  # noqa: E402

NAMES = {3: "Caudate", 7: "Putamen"}


@pytest.fixture
def a_scene(tmp_path):
    return AScene(tmp_path)


@pytest.fixture
def another_scene(tmp_path):
    """An empty scene to load what was saved."""
    (tmp_path / "another").mkdir()
    return AScene(tmp_path / "another")


@pytest.fixture
def scene(a_scene):
    return a_scene.scene


@pytest.fixture
def client():
    return FakeWorkerClient()


@pytest.fixture
def engine(scene, client, tmp_path):
    engine = DiffusionSegEngine(scene, lambda: client, str(tmp_path))
    yield engine
    engine.close()


@pytest.fixture
def head():
    """Image and labels 3 and 7, each (I, J, K)."""
    return a_head((24, 22, 20))


@pytest.fixture
def volume(scene, head):
    return a_volume_node(scene, head[0], an_affine(np.eye(3), (1.0, 1.0, 1.0)))


@pytest.fixture
def painted_engine(engine, volume, head):
    """An engine whose nine slices are painted and complete, with a background region."""
    engine.set_input([volume])
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], NAMES)
    engine.fit_background_region(2.0)
    return engine


@pytest.fixture
def predicted_engine(painted_engine):
    """An engine whose preview shows the whole volume."""
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_prediction(painted_engine.start_prediction())
    return painted_engine


@pytest.fixture
def found(predicted_engine, volume):
    """What the preview shows: masks by name."""
    return masks_by_name(predicted_engine.preview, volume)


@pytest.fixture
def finished(predicted_engine, scene, volume):
    """The user's own segmentation with a visible and a hidden segment that reach into everything."""
    geometry = VoxelGeometry.of(volume)
    left, right = np.zeros(geometry.shape, bool), np.zeros(geometry.shape, bool)
    left[:12], right[12:] = True, True
    node = a_segmentation(scene, {"Visible": left | right, "Hidden": left | right}, geometry, "mine")
    node.GetDisplayNode().SetSegmentVisibility("Hidden", False)
    predicted_engine.set_result(node)
    return node
