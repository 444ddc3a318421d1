"""A T1 scan from its file to saved segmentations; the model is tiny and coarse, so accuracy is not asked for."""

from __future__ import annotations

import numpy as np
import painted_head
import pytest
import slicer
from DiffusionSegCore import COMPLETE, DiffusionSegEngine
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import write_labels
from DiffusionSegCore.voxel_geometry import VoxelGeometry
from Module.mrml import AScene, masks_by_name, world_points

from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.reading import read_labelmap

PERSON, STRUCTURES = "sub-1000", ("Left Putamen", "Right Putamen", "Left Lateral Ventricle")


@pytest.fixture
def oasis(data_folder):
    return OasisFolder(data_folder / "oasis")


@pytest.fixture
def engine(scene, tmp_path):
    write_tiny_bundle(tmp_path / "coarse", spacing_mm=3.0)
    engine = DiffusionSegEngine(scene, painted_head.a_client, str(tmp_path / "work"))
    engine.settings.bundle, engine.settings.device = str(tmp_path / "coarse"), "cpu"
    yield engine
    engine.close()


def test_a_t1_scan_is_segmented_saved_and_reloaded(engine, a_scene, oasis, tmp_path):
    stem = oasis.folder / "labelled" / PERSON / PERSON
    t1, reference = (stem.with_name(f"{PERSON}_{kind}.nii.gz") for kind in ("T1w", "dseg"))
    volume, painting = a_scene.loaded_volume(t1), a_scene.loaded_volume(reference)
    assert engine.set_input([volume]) == []
    truth = slicer.util.arrayFromVolume(painting).transpose(2, 1, 0)
    labels = [label for label in oasis.structures() if label.name in STRUCTURES]
    wanted = np.isin(truth, [label.value for label in labels])
    segments = [(label.name, label) for label in labels]
    geometry = VoxelGeometry.of(volume)
    write_labels(engine.seeds, np.where(wanted, truth, 0).astype(np.uint16), geometry, segments)
    slices = engine.propose_slices()
    assert len(slices) == 9
    known = np.zeros(truth.shape, bool)
    for found in slices:
        np.moveaxis(known, found.axis, 0)[found.index] = True
        engine.mark_complete(found.axis, found.index)
    write_labels(engine.seeds, np.where(wanted & known, truth, 0).astype(np.uint16), geometry, segments)
    engine.fit_background_region(10.0)
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())
    result = engine.apply_preview()

    found = masks_by_name(result, volume)
    assert list(found) == [label.name for label in labels]
    assert any(mask.any() for mask in found.values())
    # What was painted lies where the file's own affine has it.
    in_file, grid = read_labelmap(reference)
    for label in labels:
        places = world_points(masks_by_name(engine.seeds, volume)[label.name], geometry.affine)
        assert {*map(tuple, places)} <= {*map(tuple, world_points(in_file == label.value, grid.affine))}

    storage = a_scene.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    assert storage.WriteData(result)
    loaded = a_scene.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(loaded)
    a_scene.save(tmp_path / "task.mrb")
    (tmp_path / "again").mkdir()
    again = AScene(tmp_path / "again")
    again.load(tmp_path / "task.mrb")
    engine_again = DiffusionSegEngine(again.scene, lambda: None, str(tmp_path))
    there = engine_again.nodes.volume().first
    assert [found.state for found in engine_again.annotation_slices()] == [COMPLETE] * 9
    assert engine_again.background_box() == engine.background_box()
    from_file, from_scene = masks_by_name(loaded, volume), masks_by_name(engine_again.result, there)
    for name, mask in found.items():
        assert np.array_equal(from_file[name], mask)
        assert np.array_equal(from_scene[name], mask)
    assert list(labels_of(loaded).values()) == list(labels_of(result).values())
