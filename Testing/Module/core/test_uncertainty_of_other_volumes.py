"""Where the result of another volume is unsure is kept and shown with that volume, and with no other."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from conftest import an_affine
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.uncertainty_of_result import UNCERTAINTY_OF_RESULT
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_volume_node


def a_scan(scene, head, name):
    return a_volume_node(scene, head[0][:, ::-1] * 0.98, an_affine(np.eye(3), (1, 1.5, 1)), name)


@pytest.fixture
def other(scene, head):
    """Another patient's scan."""
    return a_scan(scene, head, "other")


@pytest.fixture
def composite(scene):
    return scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")


def segment(engine, other):
    """As the panel does: the views then show the other volume."""
    result = engine.finish_applying(engine.start_applying(other))
    engine.show_uncertainty(0)
    engine.leave_views(other)
    return result


def over_image(composite):
    node = composite.GetScene().GetNodeByID(composite.GetForegroundVolumeID() or "")
    return node and node.GetName()


def test_the_result_of_another_volume_has_a_map_of_its_own(predicted_engine, client, other):
    own = predicted_engine.uncertainty_volume
    before = slicer.util.arrayFromVolume(own).copy()
    segment(predicted_engine, other)
    found = predicted_engine.uncertainty_in_view
    assert found.GetName() == "other uncertainty"
    assert VoxelGeometry.of(found).matches(VoxelGeometry.of(other))
    assert np.array_equal(slicer.util.arrayFromVolume(found).transpose(2, 1, 0), client._predicted()[1])
    assert predicted_engine.shows_uncertainty(found)
    assert predicted_engine.uncertainty_volume is own
    assert np.array_equal(slicer.util.arrayFromVolume(own), before)


def test_the_views_show_the_map_of_the_volume_that_is_in_them(predicted_engine, other, composite):
    predicted_engine.show_uncertainty(0.4)
    assert over_image(composite) == "head uncertainty"
    segment(predicted_engine, other)
    assert over_image(composite) is None
    predicted_engine.show_uncertainty(0.4)
    assert over_image(composite) == "other uncertainty"
    predicted_engine.return_to_views()
    predicted_engine.show_uncertainty(0.4)
    assert over_image(composite) == "head uncertainty"
    predicted_engine.show_uncertainty(0)
    assert over_image(composite) is None


def test_nothing_is_laid_over_another_volume_that_was_not_segmented(predicted_engine, other, composite):
    predicted_engine.leave_views(other)
    assert predicted_engine.uncertainty_in_view is None
    predicted_engine.show_uncertainty(0.4)
    assert over_image(composite) is None


def test_the_map_stays_with_its_volume_when_that_is_chosen(predicted_engine, volume, other):
    segment(predicted_engine, other)
    found = predicted_engine.uncertainty_in_view
    predicted_engine.set_input([other])
    assert predicted_engine.uncertainty_volume is None
    assert predicted_engine.uncertainty_in_view is found
    predicted_engine.set_input([volume])
    assert predicted_engine.uncertainty_in_view is predicted_engine.uncertainty_volume


def test_what_is_found_in_it_later_is_shown_in_its_place(predicted_engine, other, composite):
    segment(predicted_engine, other)
    predicted_engine.set_input([other])
    predicted_engine.show_uncertainty(0.4)
    predicted_engine.finish_prediction(predicted_engine.start_prediction())
    predicted_engine.show_uncertainty(0.4)
    assert composite.GetForegroundVolumeID() == predicted_engine.uncertainty_volume.GetID()
    predicted_engine.show_uncertainty(0)
    assert over_image(composite) is None


def test_of_two_results_of_a_volume_the_later_ones_map_is_shown_while_it_is_there(predicted_engine, scene, other):
    segment(predicted_engine, other)
    first = predicted_engine.uncertainty_in_view
    second = segment(predicted_engine, other)
    assert predicted_engine.uncertainty_in_view is not first
    scene.RemoveNode(second)
    assert predicted_engine.uncertainty_in_view is first


def test_the_map_of_a_result_that_was_deleted_goes_with_the_next_run(predicted_engine, scene, other, composite):
    kept = segment(predicted_engine, other)
    own = predicted_engine.uncertainty_volume
    before = scene.GetNumberOfNodes()
    for _ in range(3):
        result = segment(predicted_engine, other)
        predicted_engine.show_uncertainty(0.4)
        scene.RemoveNode(result.GetDisplayNode())
        scene.RemoveNode(result)
    segment(predicted_engine, other)
    assert scene.GetNumberOfNodes() == before + 4
    assert kept.GetNodeReference(UNCERTAINTY_OF_RESULT).GetScene() is scene
    assert own.GetScene() is scene


def test_each_of_two_other_volumes_has_its_own(predicted_engine, scene, head, other):
    third = a_scan(scene, head, "third")
    for volume in (other, third, other):
        segment(predicted_engine, volume)
        assert predicted_engine.uncertainty_in_view.GetName().startswith(f"{volume.GetName()} uncertainty")


def test_a_volume_in_the_views_that_is_deleted_leaves_no_map(predicted_engine, scene, other, composite):
    segment(predicted_engine, other)
    scene.RemoveNode(other)
    assert predicted_engine.uncertainty_in_view is None
    assert predicted_engine.return_to_views()


def test_the_map_is_found_again_in_a_saved_scene(predicted_engine, a_scene, another_scene, client, other, tmp_path):
    segment(predicted_engine, other)
    a_scene.save(tmp_path / "task.mrb")
    another_scene.load(tmp_path / "task.mrb")
    again = DiffusionSegEngine(another_scene.scene, lambda: client, str(tmp_path))
    assert again.uncertainty_in_view.GetName() == "other uncertainty"
    again.set_input([another_scene.scene.GetFirstNodeByName("other")])
    assert again.uncertainty_in_view.GetName() == "other uncertainty"
    again.close()
