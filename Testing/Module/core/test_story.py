"""Choose, paint, train, look, apply: with a fake worker."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from Module.mrml import dice, masks_by_name

from DiffusionSegLib.errors import DiffusionSegError


def test_nine_painted_slices_become_a_volume(predicted_engine, volume, head):
    masks = masks_by_name(predicted_engine.preview, volume)
    assert list(masks) == ["Caudate", "Putamen"]
    assert dice(masks["Caudate"], head[1] == 3) > 0.9
    assert dice(masks["Putamen"], head[1] == 7) > 0.9


def test_seeds_stay_as_painted(painted_engine, volume):
    before = masks_by_name(painted_engine.seeds, volume)
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_prediction(painted_engine.start_prediction())
    painted_engine.apply_preview()
    after = masks_by_name(painted_engine.seeds, volume)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_apply_fills_the_result_and_undo_empties_it(predicted_engine, volume):
    result = predicted_engine.apply_preview()
    applied, shown = masks_by_name(result, volume), masks_by_name(predicted_engine.preview, volume)
    assert applied.keys() == shown.keys()
    assert all(np.array_equal(applied[name], shown[name]) for name in shown)
    predicted_engine.undo_apply()
    assert masks_by_name(result, volume) == {}


def test_the_preview_of_slices_shows_those_only(painted_engine, volume, head):
    painted_engine.finish_training(painted_engine.start_training())
    painted_engine.finish_preview(painted_engine.start_preview([(2, 10), (0, 16)]))
    found = masks_by_name(painted_engine.preview, volume)["Caudate"]
    shown = np.zeros(found.shape, bool)
    shown[:, :, 10] = shown[16] = True
    assert dice(found[shown], head[1][shown] == 3) > 0.9
    assert not found[~shown].any()


def test_the_preview_in_3d_follows_what_is_found_where_it_was_switched_on(predicted_engine, client):
    preview = predicted_engine.preview
    moved = np.roll(client.on_predict({}, {})[1]["labelmap"], 2, 0)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert not preview.GetSegmentation().ContainsRepresentation("Closed surface")
    preview.CreateClosedSurfaceRepresentation()
    before = leftmost_of_surface(preview)
    uncertainty = np.zeros(moved.shape, np.float32)
    client.on_predict = lambda _params, _arrays: ({}, {"labelmap": moved, "uncertainty": uncertainty})
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    assert abs(leftmost_of_surface(preview) - before - 2) < 0.5


def leftmost_of_surface(segmentation):
    return segmentation.GetSegmentation().GetNthSegment(0).GetRepresentation("Closed surface").GetBounds()[0]


def test_uncertainty_lies_on_the_volume_and_is_no_flat_colour(predicted_engine, volume):
    uncertainty = slicer.util.arrayFromVolume(predicted_engine.uncertainty_volume)
    assert uncertainty.shape == slicer.util.arrayFromVolume(volume).shape
    assert 0 < uncertainty.max() <= 1
    display = predicted_engine.uncertainty_volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetAutoWindowLevel()) == (0, 0)
    assert 0.1 <= display.GetWindowLevelMax() <= 1
    colors = display.GetColorNode()
    first, last = [0.0] * 4, [0.0] * 4
    colors.GetColor(0, first)
    colors.GetColor(255, last)
    assert first[3] == 0
    assert last[3] > 0.5
    assert first[:3] != last[:3]


def test_after_another_training_new_slices_lie_over_the_last_result_until_all_is_segmented(predicted_engine, volume):
    before = masks_by_name(predicted_engine.preview, volume)
    unsure = slicer.util.arrayFromVolume(predicted_engine.uncertainty_volume).copy()
    predicted_engine.finish_training(predicted_engine.start_training())
    predicted_engine.finish_preview(predicted_engine.start_preview([(2, 10)]))
    after = masks_by_name(predicted_engine.preview, volume)
    assert all(np.array_equal(after[name], mask) for name, mask in before.items())
    assert np.array_equal(slicer.util.arrayFromVolume(predicted_engine.uncertainty_volume), unsure)
    with pytest.raises(DiffusionSegError, match="does not show the whole volume"):
        predicted_engine.apply_preview()


def test_the_slices_of_another_segmenter_do_not_lie_over_what_has_other_names(predicted_engine, volume, tmp_path):
    path = tmp_path / "other.safetensors"
    predicted_engine.save_segmenter(path)
    path.write_text(path.read_text().replace("Caudate", "Liver").replace("Putamen", "Spleen"))
    predicted_engine.load_segmenter(path)
    predicted_engine.finish_preview(predicted_engine.start_preview([(2, 10)]))
    after = masks_by_name(predicted_engine.preview, volume)
    assert set(after) == {"Liver", "Spleen"}
    assert after["Liver"][:, :, 10].any()
    assert not any(mask[:, :, other].any() for mask in after.values() for other in range(20) if other != 10)
