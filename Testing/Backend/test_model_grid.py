import numpy as np
import pytest
from conftest import a_head, an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid

SHAPE = (7, 9, 11)
GEOMETRIES = [an_affine(directions, (1.0, 1.0, 1.0)) for directions in axis_orders()]
GEOMETRIES += [an_affine(directions, (0.7, 1.0, 2.4)) for directions in axis_orders()]
GEOMETRIES += [an_affine(an_oblique_rotation() @ axis_orders()[21], (0.8, 1.3, 1.0))]


@pytest.mark.parametrize("affine", GEOMETRIES)
def test_axis_maps_and_affines_name_the_same_place(affine):
    model = ModelGrid.for_grid(Grid(SHAPE, affine), 1.0)
    source_index = np.array([2.0, 5.0, 7.0])
    model_index = [
        axis_map.scale * source_index[axis_map.source_axis] + axis_map.offset for axis_map in model.axis_maps
    ]
    np.testing.assert_allclose(model.grid.affine @ [*model_index, 1], affine @ [*source_index, 1], atol=1e-9)
    np.testing.assert_allclose(model.grid.spacing, (1, 1, 1))


@pytest.mark.parametrize("affine", GEOMETRIES[:48])
def test_one_millimetre_scans_are_reordered_to_ras_without_interpolation(affine):
    source = Grid(SHAPE, affine)
    data = np.random.default_rng(1).normal(size=(1, *SHAPE)).astype(np.float32)
    model = ModelGrid.for_grid(source, 1.0)
    assert model.grid.orientation == ("R", "A", "S")
    moved = model.to_model(data)
    assert sorted(moved.ravel()) == sorted(data.ravel())
    index = np.array([[1, 2, 3], [6, 8, 10]])
    at = model.nearest_model_voxel(index)
    np.testing.assert_array_equal(moved[0][tuple(at.T)], data[0][tuple(index.T)])


@pytest.mark.parametrize("affine", GEOMETRIES[48:])
def test_a_smooth_image_keeps_its_value_at_each_place_of_another_spacing(affine):
    source = Grid((15, 17, 19), affine)
    places = np.indices(source.shape).reshape(3, -1)
    ramp = (affine[:3, :3] @ places + affine[:3, 3:]).sum(0).reshape(source.shape)
    model = ModelGrid.for_grid(source, 1.0)
    found = model.to_model(ramp[None].astype(np.float32))[0]
    middle = np.asarray(model.grid.shape) // 2
    expected = (model.grid.affine @ [*middle, 1])[:3].sum()
    assert found[tuple(middle)] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("affine", GEOMETRIES)
@pytest.mark.parametrize("spacing_mm", [0.5, 1.0, 2.0])
def test_labels_on_the_model_grid_are_those_of_the_nearest_voxel(affine, spacing_mm):
    model = ModelGrid.for_grid(Grid(SHAPE, affine), spacing_mm)
    labelmap = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    found = model.labels_to_model(labelmap)
    assert found.shape == model.grid.shape
    centres = np.indices(found.shape).reshape(3, -1)
    to_source = np.linalg.inv(affine) @ model.grid.affine
    wanted = to_source[:3, :3] @ centres + to_source[:3, 3:]
    nearest = np.stack(np.unravel_index(found.ravel(), SHAPE))
    # The model's grid may reach half a voxel beyond the scan.
    within = np.clip(wanted, 0, np.array(SHAPE)[:, None] - 1)
    assert np.abs(nearest - within).max() <= 0.5 + 1e-5


def test_arrays_return_to_the_order_of_the_scan():
    directions = axis_orders()[17]
    model = ModelGrid.for_grid(Grid(SHAPE, an_affine(directions, (1, 2, 3))), 1.0)
    assert model.to_source_order(np.zeros(model.source_shape_in_model_order())).shape == SHAPE


def test_the_model_grid_covers_the_whole_scan():
    image, _ = a_head()
    model = ModelGrid.for_grid(Grid(image.shape, np.diag([2.0, 1.5, 0.5, 1.0])), 1.0)
    assert model.grid.shape == (80, 54, 16)
