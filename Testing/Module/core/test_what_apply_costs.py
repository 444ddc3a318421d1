"""What Apply takes from the user's own segments is told."""

from __future__ import annotations

import numpy as np
import pytest
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, masks_by_name


@pytest.mark.parametrize(
    ("overwrite", "told"), [("all", ("Visible", "Hidden")), ("visible", ("Visible",)), ("none", ())]
)
def test_other_segments_that_lose_voxels_are_told(predicted_engine, finished, overwrite, told):
    predicted_engine.apply_preview(overwrite)
    assert predicted_engine.voxels_taken == told
    assert predicted_engine.edits_replaced == ()


def test_segments_that_lose_nothing_are_not_told(predicted_engine, found, scene, volume):
    beside = ~(found["Caudate"] | found["Putamen"])
    predicted_engine.set_result(a_segmentation(scene, {"Beside": beside}, VoxelGeometry.of(volume), "mine"))
    predicted_engine.apply_preview("all")
    assert predicted_engine.voxels_taken == ()


def test_a_segment_that_is_replaced_is_told_once(predicted_engine, finished):
    finished.GetSegmentation().GetSegment("Visible").SetName("Caudate")
    predicted_engine.apply_preview("all")
    assert predicted_engine.edits_replaced == ("Caudate",)
    assert predicted_engine.voxels_taken == ("Hidden",)


def test_nothing_is_told_of_a_second_apply_that_takes_nothing_more(predicted_engine, finished, volume):
    predicted_engine.apply_preview("all")
    before = masks_by_name(finished, volume)
    predicted_engine.apply_preview("all")
    assert predicted_engine.voxels_taken == ()
    assert all(np.array_equal(mask, before[name]) for name, mask in masks_by_name(finished, volume).items())
