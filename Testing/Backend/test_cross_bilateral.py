"""Probabilities settled with those of neighbours that are as bright."""

import itertools

import numpy as np
import pytest
import torch

from DiffusionSegLib.box import slices_of, widened
from DiffusionSegLib.cross_bilateral import ALIKE, NEAR, REACH, cross_bilateral

SHAPE = (9, 8, 7)
WHOLE = ((0, 9), (0, 8), (0, 7))


def some_values(channels: int = 1):
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(3, *SHAPE, generator=generator).softmax(0)
    return probabilities, 0.3 * torch.randn(channels, *SHAPE, generator=generator)


def filtered(values, intensities, box=WHOLE, counted=None):
    around = slices_of(widened(box, REACH, SHAPE))
    counted = torch.ones(SHAPE, dtype=torch.bool) if counted is None else counted
    part = (slice(None), *around)
    return cross_bilateral(values[part], intensities[part], counted[around], box, SHAPE)


def one_by_one(values: np.ndarray, intensities: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """The filter as its equation has it, a voxel after the other."""
    counted = np.ones((1, *SHAPE), bool) if counted is None else counted[None]
    values, intensities, counted = (
        np.pad(image, ((0, 0), (1, 1), (1, 1), (1, 1)), mode="edge") for image in (values, intensities, counted)
    )
    found = np.zeros((len(values), *SHAPE))
    for place in np.ndindex(SHAPE):
        if not counted[0, place[0] + 1, place[1] + 1, place[2] + 1]:
            found[(slice(None), *place)] = values[:, place[0] + 1, place[1] + 1, place[2] + 1]
            continue
        own, total = intensities[:, place[0] + 1, place[1] + 1, place[2] + 1], 0.0
        for offset in itertools.product((0, 1, 2), repeat=3):
            there = tuple(np.add(place, offset))
            if not counted[(0, *there)]:
                continue
            distance = sum((along - 1) ** 2 for along in offset)
            difference = ((intensities[(slice(None), *there)] - own) ** 2).sum()
            weight = np.exp(-distance / (2 * NEAR**2) - difference / (2 * ALIKE**2))
            found[(slice(None), *place)] += weight * values[(slice(None), *there)]
            total += weight
        found[(slice(None), *place)] /= total
    return found


@pytest.mark.parametrize("channels", [1, 2])
def test_each_voxel_becomes_the_mean_of_its_neighbours_that_its_equation_says(channels):
    values, intensities = some_values(channels)
    found = filtered(values, intensities).numpy()
    np.testing.assert_allclose(found, one_by_one(values.numpy(), intensities.numpy()), atol=1e-6)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)


@pytest.mark.parametrize("box", [((0, 4), (0, 8), (0, 7)), ((3, 4), (2, 6), (6, 7)), ((4, 9), (7, 8), (1, 5))])
def test_a_box_is_filtered_as_in_the_whole_crop(box):
    values, intensities = some_values()
    whole = filtered(values, intensities)
    torch.testing.assert_close(
        filtered(values, intensities, box), whole[(slice(None), *slices_of(box))], atol=1e-6, rtol=0
    )


def test_what_does_not_count_tells_nothing_of_others_and_stays_what_it_is():
    values, intensities = some_values()
    counted = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) < 0.6
    found = filtered(values, intensities, counted=counted)
    expected = one_by_one(values.numpy(), intensities.numpy(), counted.numpy())
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    torch.testing.assert_close(found[:, ~counted], values[:, ~counted], atol=0, rtol=0)
    other = torch.where(counted, values, values.flip(0))
    torch.testing.assert_close(filtered(other, intensities, counted=counted)[:, counted], found[:, counted])


def test_an_edge_of_the_image_stays_sharp_and_a_lonely_voxel_within_its_side_gives_way():
    bright = torch.zeros(1, *SHAPE)
    bright[:, 5:] = 1.0
    values = torch.stack([1 - bright[0], bright[0]])
    values[:, 2, 4, 3] = torch.tensor([0.4, 0.6])
    found = filtered(values, bright)
    assert (found.argmax(0) == bright[0]).all()
    assert (found.max(0).values > 0.9).all()
