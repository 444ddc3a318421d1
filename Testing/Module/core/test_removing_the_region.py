"""A background region that was removed tells nothing any more, also in a scene that is loaded later."""

from __future__ import annotations

from DiffusionSegCore import DiffusionSegEngine
from Module.fake_worker_client import FakeWorkerClient


def test_outside_of_a_removed_region_nothing_is_background(painted_engine, client, scene):
    region = painted_engine.roi
    painted_engine.finish_training(painted_engine.start_training())
    within = client.known.sum()
    painted_engine.remove_background_region()
    assert region.GetScene() is None
    assert painted_engine.roi is None
    assert painted_engine.background_box() is None
    painted_engine.finish_training(painted_engine.start_training())
    assert client.annotated["background_box"] is None
    assert client.known.sum() < within
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 0


def test_however_often_a_region_is_fitted_and_removed_nothing_of_it_is_left(painted_engine, scene):
    painted_engine.remove_background_region()
    before = scene.GetNumberOfNodes()
    for _ in range(3):
        painted_engine.fit_background_region(2.0)
        painted_engine.remove_background_region()
    assert scene.GetNumberOfNodes() == before


def test_a_region_whose_painting_holds_nothing_any_more_is_not_left_without_it(painted_engine):
    for found in painted_engine.annotation_slices():
        painted_engine.remove_slice(*found.place)
    painted_engine.seeds.GetSegmentation().RemoveAllSegments()
    painted_engine.remove_untouched_seeds(also_own=True)
    assert painted_engine.seeds is not None
    painted_engine.remove_background_region()
    painted_engine.remove_untouched_seeds(also_own=True)
    assert painted_engine.seeds is None


def test_where_there_is_no_region_none_is_removed(painted_engine):
    painted_engine.remove_background_region()
    painted_engine.remove_background_region()
    assert painted_engine.roi is None


def test_a_region_can_be_fitted_again_after_it_was_removed(painted_engine):
    box = painted_engine.background_box()
    painted_engine.remove_background_region()
    painted_engine.fit_background_region(2.0)
    assert painted_engine.background_box() == box


def test_a_removed_region_does_not_come_back_with_the_saved_scene(painted_engine, a_scene, another_scene, tmp_path):
    painted_engine.remove_background_region()
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, FakeWorkerClient, str(tmp_path))
    assert again.annotation_slices() == painted_engine.annotation_slices()
    assert again.roi is None
    again.close()
