"""Segments as labels."""

from __future__ import annotations

import tracemalloc

import numpy as np
import slicer
from DiffusionSegCore import segment_voxels
from DiffusionSegCore.segment_labels import VALUE_TAG, labels_of, tag
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import a_segmentation, add_segment, masks_by_name, paint

TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure"
    "~SCT^89610003^Caudate nucleus~SCT^7771000^Left~Anatomic codes - DICOM master list~^^~^^"
)


def terminology_of(segmentation, identifier):
    return tag(segmentation.GetSegmentation().GetSegment(identifier), slicer.vtkSegment.GetTerminologyEntryTagName())


def test_names_colours_and_terminology_reach_worker_and_preview(engine, volume, head, client):
    engine.set_input([volume])
    identifier = add_segment(engine.seeds, "Left caudate", (0.2, 0.4, 0.6), TERMINOLOGY)
    paint(engine.seeds, identifier, head[1] == 3, VoxelGeometry.of(volume))
    engine.mark_complete(2, 10)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    result = engine.apply_preview()
    (told,) = client.annotated["labels"]
    assert (told["name"], told["color"]) == ("Left caudate", [51, 102, 153])
    for node in (engine.preview, result):
        segment = node.GetSegmentation().GetNthSegment(0)
        assert segment.GetName() == "Left caudate"
        assert np.allclose(segment.GetColor(), (0.2, 0.4, 0.6))
        assert terminology_of(node, node.GetSegmentation().GetNthSegmentID(0)) == TERMINOLOGY


def test_labels_need_not_be_contiguous(engine, volume, scene, head, client):
    labelmap = np.where(head[1] == 7, 4071, head[1]).astype(np.int16)
    node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    node.CopyOrientation(volume)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(labelmap.transpose(2, 1, 0)))
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "imported")
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.ImportLabelmapToSegmentationNode(node, segmentation)
    assert engine.set_input([volume], segmentation) == []
    assert engine.seeds is segmentation
    engine.mark_complete(2, 10)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    assert np.array_equal(client.painted, labelmap)
    assert [label.value for label in engine.labels] == [3, 4071]
    second = engine.preview.GetSegmentation().GetNthSegmentID(1)
    assert labels_of(engine.preview)[second].value == 4071


def test_a_value_stays_when_segments_are_removed_and_renamed(engine, volume):
    engine.set_input([volume])
    first, second = add_segment(engine.seeds, "a"), add_segment(engine.seeds, "b")
    value = labels_of(engine.seeds)[second].value
    engine.seeds.GetSegmentation().RemoveSegment(first)
    engine.seeds.GetSegmentation().GetSegment(second).SetName("c")
    third = add_segment(engine.seeds, "d")
    labels = labels_of(engine.seeds)
    assert (labels[second].value, labels[second].name) == (value, "c")
    assert labels[third].value != value


def test_a_copied_segment_gets_a_value_of_its_own(engine, volume):
    engine.set_input([volume])
    first = add_segment(engine.seeds, "a")
    value = labels_of(engine.seeds)[first].value
    copy = slicer.vtkSegment()
    copy.DeepCopy(engine.seeds.GetSegmentation().GetSegment(first))
    engine.seeds.GetSegmentation().AddSegment(copy, "copy")
    assert tag(copy, VALUE_TAG) == str(value)
    assert labels_of(engine.seeds)["copy"].value != value


def test_where_segments_overlap_the_later_one_is_learnt_and_none_is_changed(engine, volume, scene, client):
    geometry = VoxelGeometry.of(volume)
    whole, part = np.zeros(geometry.shape, bool), np.zeros(geometry.shape, bool)
    whole[4:14, 4:14, 4:14] = part[8:12, 8:12, 8:18] = True
    segmentation = a_segmentation(scene, {"Brain": whole, "Lesion": part}, geometry)
    (warning,) = engine.set_input([volume], segmentation)
    assert "Brain, Lesion overlap" in warning
    engine.mark_complete(2, 10)
    engine.finish_training(engine.start_training())
    brain, lesion = (label.value for label in engine.labels)
    assert np.array_equal(client.painted == lesion, part)
    assert np.array_equal(client.painted == brain, whole & ~part)
    masks = masks_by_name(engine.seeds, volume)
    assert np.array_equal(masks["Brain"], whole)
    assert np.array_equal(masks["Lesion"], part)


def test_a_segmentation_on_other_voxels_is_copied_and_left_alone(engine, volume, scene):
    geometry = VoxelGeometry.of(volume)
    twice = np.diag([2.0, 2.0, 2.0, 1.0])
    twice[:3, 3] = 0.5
    coarse = VoxelGeometry((12, 11, 10), geometry.affine @ twice)
    mask, other = np.zeros(coarse.shape, bool), np.zeros(coarse.shape, bool)
    mask[3:6, 3:6, 3:6] = other[4:8, 4:8, 4:8] = True
    chosen = a_segmentation(scene, {"a": mask, "b": other}, coarse, "coarse")
    warnings = engine.set_input([volume], chosen)
    assert "coarse lies on other voxels" in warnings[0]
    assert engine.seeds is not chosen
    masks = masks_by_name(engine.seeds, volume)
    assert masks["a"].sum() == mask.sum() * 8
    assert masks["b"].sum() == other.sum() * 8
    assert chosen.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap").GetSpacing() == (2, 2, 2)


def test_all_labels_at_once_are_what_the_segments_are_one_by_one(engine, volume, monkeypatch):
    engine.set_input([volume])
    shape = VoxelGeometry.of(volume).shape
    noise = np.random.default_rng(1).random((5, *shape))
    noise[:, :4] = noise[:, :, 15:] = 1.0
    for number in range(5):
        identifier = add_segment(engine.seeds, f"segment {number}")
        paint(engine.seeds, identifier, noise[number] < 0.2, VoxelGeometry.of(volume))
    assert engine.seeds.GetSegmentation().GetNumberOfLayers() > 1
    expected = np.zeros(shape, np.uint16)
    for identifier, label in labels_of(engine.seeds).items():
        expected[segment_voxels.segment_mask(engine.seeds, identifier, volume)] = label.value
    assert np.unique(expected).size == 6
    # Looking up 27 structures of a brain one by one took four seconds after every stroke.
    monkeypatch.setattr(segment_voxels, "segment_mask", None)
    assert np.array_equal(segment_voxels.painted_labels(engine.seeds, volume), expected)


def test_looking_for_overlaps_keeps_no_mask_of_each_segment(volume, scene, head):
    block = np.zeros(head[1].shape, bool)
    block[2:5] = True
    names = [f"s{number}" for number in range(30)]
    segmentation = a_segmentation(scene, dict.fromkeys(names, block), VoxelGeometry.of(volume))
    tracemalloc.start()
    try:
        assert segment_voxels.overlapping_names(segmentation, volume) == names
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 10 * block.size
