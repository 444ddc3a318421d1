"""Annotated voxels of a scan as voxels of the model's grid."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib import annotated_tissue as module
from DiffusionSegLib.annotated_tissue import annotated_tissue
from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid

FINER, COARSER = (0.5, 0.7, 0.4), (1.0, 2.5, 1.6)


def a_crop(model_grid, seed=0):
    """Tissue with holes in the middle of the model's grid."""
    shape = model_grid.grid.shape
    crop = tuple(size - 3 for size in shape)
    return SimpleNamespace(tissue=np.random.default_rng(seed).random(crop) < 0.7, origin=(1, 2, 1))


def some_annotated(shape, share, seed=0):
    """Background and three structures, the last of one voxel."""
    random = np.random.default_rng(seed)
    labelmap = np.where(random.random(shape) < share, random.choice([0, 4, 9], shape), UNKNOWN).astype(np.int32)
    labelmap[tuple(size // 2 for size in shape)] = 11
    return labelmap


def one_by_one(features, annotation, model_grid):
    """As the description has it: the first annotated voxel speaks for all that fall into the same."""
    found = np.full(features.tissue.shape, -1)
    for place in np.argwhere(annotation.labelmap != UNKNOWN):
        there = np.linalg.inv(model_grid.grid.affine) @ annotation.grid.affine @ [*place, 1]
        # In the middle between two voxels, the higher one: as far as rounding errors let it be told.
        voxel = tuple(np.floor(there[:3] + 0.5 + 1e-6).astype(int) - features.origin)
        inside = all(0 <= index < size for index, size in zip(voxel, found.shape, strict=True))
        if inside and features.tissue[voxel] and found[voxel] < 0:
            found[voxel] = annotation.classes.index(annotation.labelmap[tuple(place)])
    return found


@pytest.mark.parametrize("slab", [1, 3, 100])
@pytest.mark.parametrize("spacing", [FINER, COARSER])
@pytest.mark.parametrize("order", axis_orders(), ids=str)
def test_an_annotated_voxel_stands_for_the_nearest_of_the_models(order, spacing, slab, monkeypatch):
    monkeypatch.setattr(module, "SLAB", slab)
    grid = Grid((14, 12, 13), an_affine(order, spacing))
    model_grid = ModelGrid.for_grid(grid, 1.0)
    labelmap = some_annotated(grid.shape, 0.3)
    # Thin structures have a rule of their own.
    labelmap[labelmap == 11] = UNKNOWN
    annotation, features = Annotation(labelmap, grid, ()), a_crop(model_grid)
    found = annotated_tissue(features, annotation, model_grid)
    np.testing.assert_array_equal(found, one_by_one(features, annotation, model_grid))


def test_in_an_oblique_scan_too():
    # No voxel lies in the middle between two of the model's.
    grid = Grid((14, 12, 14), an_affine(an_oblique_rotation(), (0.93, 1.37, 0.61)))
    model_grid = ModelGrid.for_grid(grid, 1.0)
    annotation, features = Annotation(some_annotated(grid.shape, 0.3), grid, ()), a_crop(model_grid)
    found = annotated_tissue(features, annotation, model_grid)
    expected = one_by_one(features, annotation, model_grid)
    # But for the structure of one voxel.
    assert (found != expected).sum() <= 1
    assert (found >= 0).sum() == (expected >= 0).sum() > 100


def test_a_structure_that_is_first_nowhere_is_kept():
    grid = Grid((20, 20, 20), np.diag([0.4, 0.4, 0.4, 1.0]))
    model_grid = ModelGrid.for_grid(grid, 1.0)
    features = SimpleNamespace(tissue=np.ones(model_grid.grid.shape, bool), origin=(0, 0, 0))
    labelmap = np.zeros(grid.shape, np.int32)
    for place in np.ndindex(3, 3, 3):
        annotated = labelmap.copy()
        annotated[tuple(np.add(place, 9))] = 11
        found = annotated_tissue(features, Annotation(annotated, grid, ()), model_grid)
        assert (found == 1).sum() == 1
        assert (found == 0).sum() == found.size - 1


def test_air_and_what_is_unknown_are_no_class():
    grid = Grid((10, 10, 10), np.eye(4))
    model_grid = ModelGrid.for_grid(grid, 1.0)
    tissue = np.zeros(grid.shape, bool)
    tissue[:5] = True
    labelmap = np.full(grid.shape, UNKNOWN, np.int32)
    labelmap[:, 4], labelmap[:, 5] = 0, 7
    features = SimpleNamespace(tissue=tissue, origin=(0, 0, 0))
    found = annotated_tissue(features, Annotation(labelmap, grid, ()), model_grid)
    assert set(np.unique(found[:5, 4])) == {0}
    assert set(np.unique(found[:5, 5])) == {1}
    assert (found[5:] == -1).all()
    assert (found[:, [0, 1, 2, 3, 6, 7, 8, 9]] == -1).all()
