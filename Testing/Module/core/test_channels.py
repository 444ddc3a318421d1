"""Scans of several volumes."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from conftest import an_affine
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, paint_slices, rotation_node

from DiffusionSegLib.errors import DiffusionSegError


def opened(engine, head):
    engine.propose_slices(stride=3)
    paint_slices(engine, head[1], NAMES)
    engine.finish_training(engine.start_training())


def test_two_channels_on_the_same_voxels_are_sent_as_they_are(engine, scene, volume, head, client):
    second = a_volume_node(scene, head[0] * 2, VoxelGeometry.of(volume).affine, "second")
    assert engine.set_input([volume, second]) == []
    opened(engine, head)
    assert np.array_equal(client.volume, np.stack([head[0], head[0] * 2]))


def test_a_segmenter_of_two_channels_wants_two_of_the_next_scan(engine, scene, volume, head, client, tmp_path):
    engine.set_input([volume, a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "second")])
    opened(engine, head)
    other = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "next")
    engine.save_segmenter(tmp_path / "kept.safetensors")
    engine.load_segmenter(tmp_path / "kept.safetensors")
    client.calls.clear()
    with pytest.raises(DiffusionSegError, match="learnt from 2 volumes of the same body, and here 1 are chosen"):
        engine.start_applying(other)
    assert client.calls == []
    engine.finish_applying(engine.start_applying([other, a_volume_node(scene, head[0], np.eye(4), "next T2")]))


def test_the_estimate_counts_all_channels(engine, scene, volume, head, client):
    engine.set_input([volume, a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "second")])
    engine.start_estimate().result()
    assert client.estimated["channels"] == 2


def test_a_channel_on_other_voxels_is_resampled_to_the_first_with_a_warning(engine, scene, volume, head, client):
    ramp_affine = an_affine(np.diag([-1.0, 1.0, 1.0]), (2.0, 2.0, 2.0))
    ramp_affine[0, 3] += 30
    places = np.stack(np.meshgrid(*(np.arange(40.0),) * 3, indexing="ij"), -1) @ ramp_affine[:3, :3].T
    ramp = (places + ramp_affine[:3, 3])[..., 0]
    second = a_volume_node(scene, ramp.astype(np.float32), ramp_affine, "ramp")
    (warning,) = engine.set_input([volume, second])
    assert "ramp lies on other voxels than head" in warning
    opened(engine, head)
    geometry = VoxelGeometry.of(volume)
    rights = geometry.ras(np.argwhere(np.ones(geometry.shape, bool)))[:, 0].reshape(geometry.shape)
    assert np.allclose(client.volume[1], rights, atol=1e-3)


def test_a_channel_that_was_moved_is_resampled_to_where_it_lies(engine, scene, volume, head, client):
    second = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "moved")
    second.SetAndObserveTransformNodeID(rotation_node(scene, 90.0).GetID())
    assert len(engine.set_input([volume, second])) == 1
    opened(engine, head)
    assert np.array_equal(client.volume[0], head[0])
    assert not np.array_equal(client.volume[1], head[0])


def test_a_channel_whose_registration_was_corrected_is_sent_again(engine, scene, volume, head, client):
    second = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "moved")
    moved = rotation_node(scene, 90.0)
    second.SetAndObserveTransformNodeID(moved.GetID())
    engine.set_input([volume, second])
    opened(engine, head)
    moved.SetMatrixTransformToParent(vtk.vtkMatrix4x4())
    opened(engine, head)
    assert np.array_equal(client.volume[1], head[0])


def test_a_deleted_channel_is_noticed(engine, scene, volume, head):
    second = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "second")
    engine.set_input([volume, second])
    scene.RemoveNode(second)
    with pytest.raises(DiffusionSegError, match="Of the 2 channels of the scan only 1"):
        engine.start_training()


def test_what_was_found_is_shown_though_a_channel_was_added_and_deleted_meanwhile(
    predicted_engine, scene, volume, head
):
    work = predicted_engine.start_prediction()
    second = a_volume_node(scene, head[0], VoxelGeometry.of(volume).affine, "second")
    predicted_engine.set_input([volume, second], predicted_engine.seeds)
    scene.RemoveNode(second)
    predicted_engine.finish_prediction(work)
    assert predicted_engine.findings.extent == "whole"


def test_a_volume_without_voxels_is_refused(engine, scene):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(DiffusionSegError, match="empty has no voxels"):
        engine.set_input([empty])
    assert engine.seeds is None
