"""The logic with the real worker process and a tiny model: geometries, labels, channels and files."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import painted_head
import pytest
from conftest import a_head, an_affine, an_oblique_rotation, axis_orders
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import write_labels
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.core.conftest import NAMES
from Module.mrml import a_volume_node, check_saved_and_reloaded, dice, masks_by_name, paint, paint_slices

from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

SHAPE = (28, 26, 24)
IMAGE, LABELS = a_head(SHAPE)
AFFINE = an_affine(np.eye(3), (1.0, 1.0, 1.0))
SPACING = (0.9, 1.1, 1.6)
GEOMETRIES = {f"order {number}": an_affine(order, SPACING) for number, order in enumerate(axis_orders())}
GEOMETRIES["oblique"] = an_affine(an_oblique_rotation(), SPACING)
GEOMETRIES["oblique, left-handed"] = an_affine(an_oblique_rotation() @ np.diag([1, 1, -1]), SPACING)


@pytest.fixture(scope="module")
def worker():
    with painted_head.a_client() as client:
        # One that is still starting would tell of its end in other words.
        client.call("hello", {})
        yield client


@pytest.fixture
def engine(scene, worker, tiny_bundle, tmp_path):
    engine = DiffusionSegEngine(scene, lambda: worker, str(tmp_path / "work"))
    engine.settings.bundle, engine.settings.device = str(tiny_bundle.folder), "cpu"
    return engine


def painted(engine, volume, labels=LABELS):
    engine.set_input([volume] if not isinstance(volume, list) else volume)
    engine.propose_slices(stride=4)
    paint_slices(engine, labels, NAMES)
    engine.fit_background_region(3.0)


def segmented(engine):
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    return engine.apply_preview()


@pytest.fixture
def ready(engine, scene):
    """An engine whose scan is painted."""
    painted(engine, a_volume_node(scene, IMAGE, AFFINE))
    return engine


@pytest.mark.parametrize("affine", GEOMETRIES.values(), ids=GEOMETRIES)
def test_structures_are_found_saved_and_the_same_after_loading(engine, a_scene, another_scene, affine, tmp_path):
    volume = a_volume_node(a_scene.scene, IMAGE, affine)
    painted(engine, volume)
    result = segmented(engine)
    found = masks_by_name(result, volume)
    assert dice(found["Caudate"], LABELS == 3) > 0.8
    assert dice(found["Putamen"], LABELS == 7) > 0.8
    assert VoxelGeometry.of(engine.uncertainty_volume).matches(VoxelGeometry.of(volume))
    assert engine.next_slices()
    check_saved_and_reloaded(a_scene, engine, another_scene, tmp_path)


def test_labels_far_apart_keep_their_values_and_terminology(engine, scene):
    volume = a_volume_node(scene, IMAGE, AFFINE)
    engine.set_input([volume])
    far = [Label(12, "Caudate", (10, 20, 30), "a~b~c"), Label(40001, "Putamen", (40, 50, 60))]
    labelmap = np.select([LABELS == 3, LABELS == 7], [12, 40001], 0).astype(np.uint16)
    labelmap[:, :, ::2] = 0
    write_labels(engine.seeds, labelmap, VoxelGeometry.of(volume), [(label.name, label) for label in far])
    for index in range(1, SHAPE[2], 2):
        engine.mark_complete(2, index)
    result = segmented(engine)
    # A segment that nobody described gets Slicer's own default.
    found = list(labels_of(result).values())
    assert [replace(label, terminology="") for label in found] == [replace(label, terminology="") for label in far]
    assert found[0].terminology == "a~b~c"
    assert dice(masks_by_name(result, volume)["Putamen"], LABELS == 7) > 0.8


def test_overlapping_segments_are_learnt_by_the_later_one(engine, scene):
    volume = a_volume_node(scene, IMAGE, AFFINE)
    painted(engine, volume)
    geometry = VoxelGeometry.of(volume)
    both = engine.seeds.GetSegmentation().AddEmptySegment("Both", "Both")
    paint(engine.seeds, both, masks_by_name(engine.seeds, volume)["Caudate"], geometry)
    found = masks_by_name(segmented(engine), volume)
    assert dice(found["Both"], LABELS == 3) > 0.8
    assert "Caudate" not in found


def test_strokes_that_were_erased_after_training_are_nowhere_in_the_result(ready):
    volume, contents = ready.nodes.volume().first, ready.seeds.GetSegmentation()
    identifier, geometry = contents.GetSegmentIdBySegmentName("Putamen"), VoxelGeometry.of(volume)
    right = masks_by_name(ready.seeds, volume)["Putamen"]
    # Air, where nothing is ever found.
    wrong = right.copy()
    wrong[0, 0, :5] = True
    paint(ready.seeds, identifier, wrong, geometry)
    assert masks_by_name(segmented(ready), volume)["Putamen"][0, 0, :5].all()
    paint(ready.seeds, identifier, right, geometry)
    ready.finish_prediction(ready.start_prediction())
    found = masks_by_name(ready.preview, volume)["Putamen"]
    assert not found[0, 0, :5].any()
    assert found[right].all()


def test_two_channels_on_different_voxels_make_one_scan(engine, scene, tmp_path):
    write_tiny_bundle(tmp_path / "two", channels=2)
    engine.settings.bundle = str(tmp_path / "two")
    twice = AFFINE @ np.diag([2.0, 2.0, 2.0, 1.0])
    volume = a_volume_node(scene, IMAGE, AFFINE, "first")
    coarse = a_volume_node(scene, np.ascontiguousarray(IMAGE[::2, ::2, ::2]), twice, "second")
    assert "second lies on other voxels" in engine.set_input([volume, coarse])[0]
    painted(engine, [volume, coarse])
    assert dice(masks_by_name(segmented(engine), volume)["Caudate"], LABELS == 3) > 0.8


def test_too_few_channels_are_told_and_the_next_choice_works(ready, tiny_bundle, tmp_path):
    write_tiny_bundle(tmp_path / "two", channels=2)
    ready.settings.bundle = str(tmp_path / "two")
    with pytest.raises(DiffusionSegError, match="2 channel"):
        ready.finish_training(ready.start_training())
    ready.settings.bundle = str(tiny_bundle.folder)
    segmented(ready)


def until(work, method):
    """Wait until the worker is at a method."""
    end = time.monotonic() + 60
    while not work.done and work.method != method:
        assert time.monotonic() < end
        time.sleep(0.005)
    time.sleep(0.02)


COMPUTED = {"preparation", "features", "saving"}


def stages_of(training, engine) -> set[str]:
    """What the worker reports while a training is waited for."""
    told = []
    work = training(on_progress=lambda stage, _done, _total: told.append(stage))
    engine.finish_training(work)
    return set(told)


def test_a_training_computes_nothing_that_was_extracted_while_the_user_painted(ready):
    ready.finish_extraction(ready.start_extraction())
    stages = stages_of(ready.start_training, ready)
    assert "training" in stages
    assert not stages & COMPUTED


def test_a_training_that_is_begun_while_features_are_computed_goes_on_with_them(scene, tiny_bundle, tmp_path):
    with painted_head.a_client("dawdle", 0.1) as slow:
        engine = DiffusionSegEngine(scene, lambda: slow, str(tmp_path / "work"))
        engine.settings.bundle, engine.settings.device = str(tiny_bundle.folder), "cpu"
        painted(engine, a_volume_node(scene, IMAGE, AFFINE))
        extraction = engine.start_extraction()
        until(extraction, "extract")
        assert not extraction.done
        training = engine.start_training()
        engine.finish_extraction(extraction)
        slow.poll()
        engine.finish_training(training)
        stages = {told["params"]["stage"] for told in slow.poll() if told["method"] == "progress"}
        assert "training" in stages
        assert not stages & COMPUTED
