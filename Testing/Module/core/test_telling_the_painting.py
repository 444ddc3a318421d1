"""What the worker is told of the painting before it segments, so that it shows what is painted now and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import an_affine
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.fake_worker_client import FakeWorkerError
from Module.mrml import a_volume_node, add_segment, masks_by_name, paint

from DiffusionSegLib.errors import DiffusionSegError

FINDING = {
    "preview": lambda engine: engine.finish_preview(engine.start_preview([(2, 10)])),
    "predict": lambda engine: engine.finish_prediction(engine.start_prediction()),
    "suggest": lambda engine: engine.next_slices(),
}


@pytest.fixture
def trained_engine(painted_engine, client):
    painted_engine.finish_training(painted_engine.start_training())
    client.calls.clear()
    return painted_engine


def erase(engine, *names):
    contents, geometry = engine.seeds.GetSegmentation(), engine.nodes.volume().geometry
    for name in names:
        paint(engine.seeds, contents.GetSegmentIdBySegmentName(name), np.zeros(geometry.shape, bool), geometry)


@pytest.mark.parametrize("method", FINDING)
def test_what_was_erased_since_training_is_known_no_more_and_told_once(trained_engine, client, method):
    erase(trained_engine, "Caudate")
    for calls in (["annotate", method], [method]):
        FINDING[method](trained_engine)
        assert client.calls == calls
        assert np.array_equal(client.painted, trained_engine.painted())
        client.calls.clear()


@pytest.mark.parametrize("method", FINDING)
def test_where_all_was_erased_nothing_is_known(trained_engine, client, method):
    erase(trained_engine, "Caudate", "Putamen")
    FINDING[method](trained_engine)
    assert not client.painted.any()


def test_where_the_painting_was_deleted_nothing_is_known(trained_engine, client, scene):
    scene.RemoveNode(trained_engine.seeds)
    FINDING["predict"](trained_engine)
    assert not client.painted.any()
    assert client.annotated["background_box"] is None


def test_a_slice_that_is_not_complete_any_more_is_told(trained_engine, client):
    place = trained_engine.annotation_slices()[0].place
    trained_engine.mark_complete(*place, complete=False)
    FINDING["predict"](trained_engine)
    assert client.calls == ["annotate", "predict"]
    assert place[1] not in client.annotated["complete_slices"][place[0]]


def test_a_scan_that_is_opened_has_nothing_of_an_earlier_painting(trained_engine, client, volume, scene):
    client.kill()
    trained_engine.set_input([volume], scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "fresh"))
    FINDING["predict"](trained_engine)
    assert client.calls == ["open", "load_segmenter", "annotate", "predict"]
    assert not client.painted.any()


def test_another_volume_has_nothing_of_any_painting_and_the_chosen_one_has_its_own(
    trained_engine, client, scene, head, volume
):
    other = a_volume_node(scene, head[0][:, :, ::-1], an_affine(np.eye(3), (1, 1, 2)), "next patient")
    trained_engine.finish_applying(trained_engine.start_applying(other))
    assert client.calls == ["open", "annotate", "predict"]
    assert not client.painted.any()
    trained_engine.finish_applying(trained_engine.start_applying(volume))
    assert np.array_equal(client.painted, trained_engine.painted())


def test_what_was_renamed_since_training_is_told_by_the_name_that_was_learnt(trained_engine, client):
    contents = trained_engine.seeds.GetSegmentation()
    contents.GetSegment(contents.GetSegmentIdBySegmentName("Caudate")).SetName("Nucleus caudatus")
    FINDING["predict"](trained_engine)
    assert client.calls == ["predict"]
    client.kill()
    FINDING["predict"](trained_engine)
    assert [label["name"] for label in client.annotated["labels"]] == ["Caudate", "Putamen"]


def test_what_took_the_value_of_a_deleted_segment_is_told_by_its_own_name(trained_engine, client, volume):
    contents = trained_engine.seeds.GetSegmentation()
    contents.RemoveSegment(contents.GetSegmentIdBySegmentName("Putamen"))
    mask = masks_by_name(trained_engine.seeds, volume)["Caudate"]
    paint(trained_engine.seeds, add_segment(trained_engine.seeds, "Lesion"), mask, VoxelGeometry.of(volume))
    FINDING["predict"](trained_engine)
    assert [(label["value"], label["name"]) for label in client.annotated["labels"]] == [(1, "Caudate"), (2, "Lesion")]


@pytest.mark.parametrize("method", FINDING)
def test_a_background_region_beside_the_volume_keeps_nothing_from_being_found(trained_engine, client, method):
    trained_engine.roi.SetCenter(1000, 0, 0)
    FINDING[method](trained_engine)
    # Slices and region cannot be told of, but strokes are as certain as ever.
    assert client.painted.any()
    assert client.annotated["complete_slices"] == [[], [], []]
    assert client.annotated["background_box"] is None


def test_a_painting_that_the_worker_cannot_take_is_told_of(trained_engine, client):
    erase(trained_engine, "Caudate")
    client.faults = {"annotate": FakeWorkerError("The memory is full.", "Close other programs.")}
    with pytest.raises(DiffusionSegError, match="The memory is full"):
        FINDING["predict"](trained_engine)
    FINDING["predict"](trained_engine)
    assert np.array_equal(client.painted, trained_engine.painted())


def test_a_painting_whose_telling_was_stopped_is_told_again(trained_engine, client):
    erase(trained_engine, "Caudate")
    client.slow = {"annotate"}
    work = trained_engine.start_prediction()
    assert not work.done
    trained_engine.cancel()
    with pytest.raises(DiffusionSegError, match="Stopped"):
        trained_engine.finish_prediction(work)
    client.slow = set()
    FINDING["predict"](trained_engine)
    assert client.calls == ["annotate", "annotate", "predict"]
