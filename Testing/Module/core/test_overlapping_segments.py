"""Segments that overlap are told of when they are opened, and when they are learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import masks_by_name, paint

OVERLAP = "Caudate, Putamen overlap: where they do, the later one in the list is learnt."


@pytest.fixture
def overlapping(painted_engine, volume):
    """A painting whose segments were let overlap since it was opened."""
    seeds = painted_engine.seeds
    mask = np.logical_or(*masks_by_name(seeds, volume).values())
    identifier = seeds.GetSegmentation().GetSegmentIdBySegmentName("Caudate")
    paint(seeds, identifier, mask, VoxelGeometry.of(volume))
    return painted_engine


def test_a_training_on_segments_that_overlap_goes_on_and_tells(overlapping):
    told = overlapping.finish_training(overlapping.start_training())
    assert told["warnings"] == [OVERLAP]
    assert told["voxels"] > 0


def test_the_same_is_told_when_the_painting_is_opened(overlapping, volume):
    assert overlapping.set_input([volume], overlapping.seeds) == [OVERLAP]


def test_nothing_is_told_of_a_training_on_segments_that_lie_apart(painted_engine):
    assert painted_engine.finish_training(painted_engine.start_training())["warnings"] == []
