"""Telling that a scan lies upside down or back to front."""

import numpy as np
import pytest
from scipy import ndimage

from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation
from DiffusionSegLib.orientation_check import ANTERIOR, FLIPS, SUPERIOR, seeming_flip
from DiffusionSegLib.scan_doubts import doubts_of_orientation
from DiffusionSegLib.template import Template

SPACING_MM = 4.0
SHAPE = (36, 44, 36)


def dome(tilt_degrees: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """Half an ellipsoid on a stem at its back, with a dark hollow in front: intensities from 0 to 1."""
    places = np.stack(np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SHAPE), indexing="ij"))
    angle = np.deg2rad(tilt_degrees)
    right = places[0] - shift
    front = np.cos(angle) * places[1] - np.sin(angle) * places[2]
    up = np.sin(angle) * places[1] + np.cos(angle) * places[2] + 6
    whole = ((right / 14) ** 2 + (front / 18) ** 2 + (up / 18) ** 2 < 1) & (up > 0)
    stem = (right / 4) ** 2 + ((front + 9) / 4) ** 2 + ((up + 2) / 7) ** 2 < 1
    hollow = (right / 5) ** 2 + ((front - 7) / 5) ** 2 + ((up - 7) / 4) ** 2 < 1
    brightness = np.select([hollow, stem, whole], [0.2, 0.9, 0.6])
    return (ndimage.gaussian_filter(brightness, 0.7) * (brightness > 0)).astype(np.float32)


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(dome(), SPACING_MM)


@pytest.mark.parametrize("axes", FLIPS)
def test_the_axes_are_found_along_which_a_scan_lies_the_wrong_way_round(template, axes):
    scan = 2 * dome(tilt_degrees=8, shift=2) - 1
    assert seeming_flip(scan, SPACING_MM, template) == ()
    assert seeming_flip(np.flip(scan, axes), SPACING_MM, template) == axes


def test_left_and_right_make_no_difference_and_a_turn_is_told_as_a_flip(template):
    scan = 2 * dome(tilt_degrees=-5, shift=2) - 1
    assert seeming_flip(scan[::-1], SPACING_MM, template) == ()
    assert seeming_flip(scan[::-1, ::-1], SPACING_MM, template) == (ANTERIOR,)
    assert seeming_flip(scan[::-1, :, ::-1], SPACING_MM, template) == (SUPERIOR,)


def test_of_what_shows_nothing_or_is_too_thin_or_something_else_nothing_is_told(template):
    scan = 2 * dome() - 1
    noise = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype(np.float32)
    for other in (np.full_like(scan, -1), scan[:, :, 16:20], noise):
        assert seeming_flip(other, SPACING_MM, template) == ()


def test_every_way_round_has_its_sentence():
    assert doubts_of_orientation(()) == []
    found = [doubts_of_orientation(axes) for axes in FLIPS]
    assert [len(sentences) for sentences in found] == [1, 1, 1]
    assert "back to front" in found[0][0]
    assert "upside down" in found[1][0]
    assert "turned by 180 degrees" in found[2][0]


def test_a_real_brain_is_told_of_only_where_it_is_flipped(data_folder):
    volume, _ = OasisFolder(data_folder / "oasis").read("sub-1006")
    brain = Normalisation().apply(ModelGrid.for_grid(volume.grid, 1.0).to_model(volume.data), "mr")[0]
    template = find_bundle("brain-t1").template
    assert seeming_flip(brain, 1.0, template) == ()
    for axes in FLIPS:
        assert seeming_flip(np.flip(brain, axes), 1.0, template) == axes
