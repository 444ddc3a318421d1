"""What annotated voxels and air are to the voxels beside them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import an_affine, an_oblique_rotation, axis_orders

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.box import slices_of
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.smoothing import Smoothing

SHAPE = (12, 11, 10)
# The crop that has features.
ORIGIN, CROP = (2, 1, 3), (8, 9, 6)
WHOLE = tuple((0, size) for size in CROP)
INTENSITIES = FeatureConfig(intensity_sigmas_mm=(0.0,), edge_sigmas_mm=(), coordinates="none")


def features(tissue=None, config=INTENSITIES, brightness=None):
    """Of a scan that is equally bright everywhere, if it is not told otherwise."""
    tissue = np.ones(CROP, bool) if tissue is None else tissue
    brightness = torch.zeros(1, *CROP) if brightness is None else brightness
    return SimpleNamespace(tissue=tissue, origin=ORIGIN, local=brightness.half(), config=config)


def smoothed(annotated=None, *, values=(0, 3, 7), tissue=None, affine=None, probabilities=None):
    """What becomes of equal probabilities; what is annotated is given with axes as the model's."""
    grid = Grid(SHAPE, np.eye(4) if affine is None else affine)
    annotation = None if annotated is None else Annotation(annotated, grid, ())
    smoothing = Smoothing(features(tissue), ModelGrid.for_grid(grid, 1.0), values, annotation)
    if probabilities is None:
        probabilities = torch.full((len(values), *CROP), 1 / len(values))
    return smoothing(probabilities, WHOLE)


def annotated_at(place, value, grid=SHAPE):
    labelmap = np.full(grid, UNKNOWN, np.int32)
    labelmap[place] = value
    return labelmap


def test_neighbours_of_an_annotated_voxel_lean_to_what_it_is_the_nearer_the_more():
    found = smoothed(annotated_at((5, 5, 5), 7))
    first, second, third = np.subtract((5, 5, 5), ORIGIN)
    along = found[2, first, :, third]
    assert along.argmax() == second
    assert (along[second:].diff() < 0).all()
    assert (along[: second + 1].diff() > 0).all()
    # Far from it on all axes.
    torch.testing.assert_close(found[:, first + 2 :, second + 2 :, third + 2 :], torch.full((3, 3, 3, 2), 1 / 3))
    torch.testing.assert_close(found.sum(0), torch.ones(CROP))


@pytest.mark.parametrize("box", [((0, 3), (0, 9), (0, 6)), ((3, 4), (2, 6), (5, 6)), ((2, 8), (4, 5), (1, 3))])
def test_a_box_is_smoothed_as_in_the_whole_crop(box):
    annotated = np.random.default_rng(0).choice([UNKNOWN, 0, 3, 7], SHAPE, p=[0.9, 0.04, 0.03, 0.03]).astype(np.int32)
    grid = Grid(SHAPE, np.eye(4))
    generator = torch.Generator().manual_seed(0)
    of_scan = features(brightness=0.1 * torch.randn(1, *CROP, generator=generator))
    smoothing = Smoothing(of_scan, ModelGrid.for_grid(grid, 1.0), (0, 3, 7), Annotation(annotated, grid, ()))
    probabilities = torch.rand(3, *CROP, generator=generator).softmax(0)
    around = probabilities[(slice(None), *slices_of(smoothing.around(box)))]
    expected = smoothing(probabilities, WHOLE)[(slice(None), *slices_of(box))]
    torch.testing.assert_close(smoothing(around, box), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("affine", [an_affine(order, (1, 1, 1)) for order in axis_orders()])
def test_annotated_voxels_count_where_they_lie_in_any_order_of_axes(affine):
    orientation = np.abs(affine[:3, :3]).argmax(0)
    shape = tuple(np.take(SHAPE, orientation))
    grid = Grid(shape, affine)
    model_grid = ModelGrid.for_grid(grid, 1.0)
    place = tuple(np.subtract(shape, 5))
    expected = np.round(np.linalg.inv(model_grid.grid.affine) @ affine @ [*place, 1])[:3] - ORIGIN
    annotation = Annotation(annotated_at(place, 3, shape), grid, ())
    found = Smoothing(features(), model_grid, (0, 3), annotation)(torch.full((2, *CROP), 0.5), WHOLE)
    most = np.unravel_index(int(found[1].argmax()), CROP)
    assert tuple(most) == tuple(expected.astype(int))


def settled(affine, shape, annotated, probabilities=None):
    """What becomes of the probabilities of classes 0 and 3 in a crop of all of an annotated scan."""
    grid = Grid(shape, affine)
    model_grid = ModelGrid.for_grid(grid, 1.0)
    crop = model_grid.grid.shape
    whole = SimpleNamespace(
        tissue=np.ones(crop, bool), origin=(0, 0, 0), local=torch.zeros(1, *crop).half(), config=INTENSITIES
    )
    smoothing = Smoothing(whole, model_grid, (0, 3), Annotation(annotated, grid, ()))
    given = torch.full((2, *crop), 0.5) if probabilities is None else probabilities(crop)
    return smoothing(given, tuple((0, size) for size in crop)), model_grid


def test_annotated_voxels_of_an_oblique_scan_of_coarser_voxels_count_where_they_lie():
    affine = an_affine(an_oblique_rotation(), (2.0, 2.0, 2.0))
    found, model_grid = settled(affine, (7, 6, 5), annotated_at((3, 2, 2), 3, (7, 6, 5)))
    centre = (np.linalg.inv(model_grid.grid.affine) @ affine @ [3, 2, 2, 1])[:3]
    most = np.unravel_index(int(found[1].argmax()), found.shape[1:])
    assert np.abs(np.subtract(most, centre)).max() <= 0.5 + 1e-5


@pytest.mark.parametrize("index", range(18, 24))
def test_every_painted_slice_of_a_scan_of_finer_voxels_tells_of_others(index):
    annotated = np.full((12, 12, 40), UNKNOWN, np.int32)
    annotated[:, :, index] = 3
    found, _ = settled(np.diag([1.0, 1.0, 0.5, 1.0]), annotated.shape, annotated)
    assert found[1].amax((0, 1)).argmax() == index // 2
    assert found[1, 6, 6, index // 2 + 1] > 0.6


def test_thick_slices_that_are_painted_alike_do_not_overrule_what_is_found_between_them():
    annotated = np.full((12, 12, 7), UNKNOWN, np.int32)
    annotated[:, :, [2, 4]] = 3

    def hardly(crop):
        return torch.tensor([0.95, 0.05])[:, None, None, None].repeat(1, *crop)

    found, _ = settled(np.diag([1.0, 1.0, 5.0, 1.0]), annotated.shape, annotated, hardly)
    # The middle of each slice.
    assert found[1, 6, 6, 12] > 0.5
    assert found[1, 6, 6, 17] < 0.1


def test_what_is_annotated_as_no_class_of_the_segmenter_is_passed_over():
    found = smoothed(annotated_at((5, 5, 5), 9))
    torch.testing.assert_close(found, torch.full((3, *CROP), 1 / 3))


def test_tissue_beside_air_keeps_what_it_is_where_background_is_no_class():
    tissue = np.zeros(CROP, bool)
    tissue[:, :, 2] = True
    probabilities = torch.zeros(2, *CROP)
    probabilities[0, :, :, 2], probabilities[1, :, :, 2] = 0.9, 0.1
    found = smoothed(values=(3, 7), tissue=tissue, probabilities=probabilities.clone())
    torch.testing.assert_close(found, probabilities)


def test_air_beside_annotated_tissue_stays_what_it_is():
    tissue = np.zeros(CROP, bool)
    tissue[:, :, :3] = True
    probabilities = torch.zeros(2, *CROP)
    probabilities[0, :, :, :3] = 1
    annotated = np.full(SHAPE, UNKNOWN, np.int32)
    annotated[:, :, ORIGIN[2] + 2], annotated[:, :, ORIGIN[2] + 4] = 7, 7
    found = smoothed(annotated, values=(3, 7), tissue=tissue, probabilities=probabilities)
    assert not found[:, :, :, 3:].any()
    assert (found[1, :, :, 2] > 0.5).all()
    # What air is annotated as tells tissue nothing.
    annotated[:, :, ORIGIN[2] + 4] = UNKNOWN
    torch.testing.assert_close(smoothed(annotated, values=(3, 7), tissue=tissue, probabilities=probabilities), found)


def test_nothing_changes_in_air_or_without_intensities():
    tissue = np.zeros(CROP, bool)
    tissue[1, 1, 1] = True
    model_grid = ModelGrid.for_grid(Grid(SHAPE, np.eye(4)), 1.0)
    smoothing = Smoothing(features(tissue), model_grid, (0, 3))
    assert smoothing.applies_to(((0, 2), (1, 3), (0, 4)))
    assert not smoothing.applies_to(((2, 8), (1, 3), (0, 4)))
    blurred = FeatureConfig(intensity_sigmas_mm=(1.0,), edge_sigmas_mm=(), coordinates="none")
    assert not Smoothing(features(config=blurred), model_grid, (0, 3)).applies_to(WHOLE)
