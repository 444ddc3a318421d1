"""The whole way from painting to result on volumes of every orientation, compared through affines."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from conftest import a_head, an_affine, an_oblique_rotation, axis_orders
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, masks_by_name, paint_slices, rotation_node, world_points

SPACING = (0.8, 1.1, 2.5)
IMAGE, LABELS = a_head((18, 16, 14))
AFFINES = {f"order {number}": an_affine(order, SPACING) for number, order in enumerate(axis_orders())}
AFFINES["oblique"] = an_affine(an_oblique_rotation(), SPACING)
AFFINES["oblique, left-handed"] = an_affine(an_oblique_rotation() @ np.diag([1, 1, -1]), SPACING)
AFFINES["very anisotropic"] = an_affine(np.eye(3), (0.4, 0.4, 6.0))


def worked_through(engine, volume, labels):
    engine.set_input([volume])
    engine.propose_slices(stride=3)
    paint_slices(engine, labels, NAMES)
    engine.fit_background_region(3.0)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    return engine.apply_preview()


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_what_was_painted_comes_back_at_its_place(engine, scene, client, affine):
    volume = a_volume_node(scene, IMAGE, affine)
    result = worked_through(engine, volume, LABELS)
    assert np.allclose(client.affine, affine)
    assert np.array_equal(client.volume[0], IMAGE)
    expected = client.on_predict({}, {})[1]["labelmap"]
    for label in engine.labels:
        structure = next(value for value, name in NAMES.items() if name == label.name)
        assert np.array_equal(client.painted == label.value, client.known & np.isin(LABELS, structure))
        assert np.array_equal(masks_by_name(result, volume)[label.name], expected == label.value)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_volumes_from_files_are_painted_where_the_file_has_them(engine, a_scene, client, affine, tmp_path):
    nib.save(nib.Nifti1Image(IMAGE, affine), tmp_path / "scan.nii.gz")
    volume = a_scene.loaded_volume(tmp_path / "scan.nii.gz")
    geometry = VoxelGeometry.of(volume)
    to_file = np.rint(np.linalg.inv(affine) @ geometry.affine).astype(int)
    indices = np.argwhere(np.ones(geometry.shape, bool)) @ to_file[:3, :3].T + to_file[:3, 3]
    labels = LABELS[tuple(indices.T)].reshape(geometry.shape)
    result = worked_through(engine, volume, labels)
    assert np.array_equal(client.volume[0], IMAGE[tuple(indices.T)].reshape(geometry.shape))
    found = masks_by_name(result, volume)["Caudate"]
    truth = world_points(LABELS == 3, affine)
    common = len({*map(tuple, truth)} & {*map(tuple, world_points(found, geometry.affine))})
    assert 2 * common / (len(truth) + found.sum()) > 0.85


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_the_background_region_is_the_box_it_was_fitted_to(engine, scene, affine):
    volume = a_volume_node(scene, IMAGE, affine)
    engine.set_input([volume])
    engine.propose_slices(stride=3)
    paint_slices(engine, LABELS, NAMES)
    engine.fit_background_region(0.0)
    painted = np.argwhere(engine.painted() > 0)
    assert np.array_equal(engine.background_box(), np.stack([painted.min(0), painted.max(0) + 1], 1))


def test_a_moved_volume_is_worked_on_in_its_own_voxels(engine, scene, client):
    volume = a_volume_node(scene, IMAGE, AFFINES["oblique"])
    volume.SetAndObserveTransformNodeID(rotation_node(scene).GetID())
    result = worked_through(engine, volume, LABELS)
    assert np.allclose(client.affine, AFFINES["oblique"])
    assert result.GetTransformNodeID() == engine.roi.GetTransformNodeID() == volume.GetTransformNodeID()
    expected = client.on_predict({}, {})[1]["labelmap"]
    value = next(label.value for label in engine.labels if label.name == "Putamen")
    assert np.array_equal(masks_by_name(result, volume)["Putamen"], expected == value)
    painted = np.argwhere(engine.painted() > 0)
    lowest = [low for low, _ in engine.background_box()]
    assert (painted.min(0) >= lowest).all()
