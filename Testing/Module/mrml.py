"""Scenes, nodes and files as tests of the logic need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
import vtk
from DiffusionSegCore import DiffusionSegEngine
from DiffusionSegCore.oriented_images import oriented_image
from DiffusionSegCore.segment_labels import labels_of
from DiffusionSegCore.segment_voxels import segment_mask
from DiffusionSegCore.slice_views import world_centre
from DiffusionSegCore.voxel_geometry import VoxelGeometry, matrix_from_array


class AScene:
    """A MRML scene with the logics that desktop Slicer would have registered, kept alive with it."""

    def __init__(self, cache: Path):
        self.scene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.application.SetTemporaryPath(str(cache))
        colors = self.application.GetColorLogic()
        colors.SetMRMLScene(self.scene)
        colors.AddDefaultColorNodes()
        self.application.SetModuleLogic("Colors", colors)
        self.logics = []
        for kind in (
            slicer.vtkSlicerSegmentationsModuleLogic,
            slicer.vtkSlicerMarkupsLogic,
            slicer.vtkSlicerVolumesLogic,
        ):
            logic = kind()
            logic.SetMRMLApplicationLogic(self.application)
            logic.SetMRMLScene(self.scene)
            self.logics.append(logic)
        self.volumes = self.logics[-1]
        self.cache = slicer.vtkCacheManager()
        self.cache.SetRemoteCacheDirectory(str(cache))
        self.cache.SetMRMLScene(self.scene)
        self.data = slicer.vtkDataIOManager()
        self.data.SetCacheManager(self.cache)
        self.scene.SetCacheManager(self.cache)
        self.scene.SetDataIOManager(self.data)

    def loaded_volume(self, path: Path):
        return self.volumes.AddArchetypeVolume(str(path), path.name.split(".")[0], 0)

    def save(self, path: Path):
        assert self.scene.WriteToMRB(str(path))

    def load(self, path: Path):
        assert self.scene.ReadFromMRB(str(path), True)


@contextmanager
def slicers_scene(cache: Path, views: Mapping[str, str]) -> Iterator[slicer.vtkMRMLScene]:
    """The scene that `slicer.mrmlScene` is meanwhile, with slice views by name and their orientation."""
    whole = AScene(cache)
    slicer.mrmlScene = whole.scene
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(whole.scene)
    for name, orientation in views.items():
        for kind in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
            node = whole.scene.AddNewNodeByClass(kind, name)
            node.SetLayoutName(name)
            node.SetSingletonTag(name)
        whole.scene.GetFirstNode(name, "vtkMRMLSliceNode").SetOrientation(orientation)
    yield whole.scene
    whole.scene.RemoveAllObservers()


def a_volume_node(scene, image, affine, name="head"):
    """A scalar volume node of an array (I, J, K)."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(matrix_from_array(affine))
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(image.transpose(2, 1, 0)))
    return node


def a_segmentation(scene, masks, geometry, name="segmentation"):
    """A segmentation of masks (I, J, K) by segment name; masks may overlap."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    for segment, mask in masks.items():
        node.GetSegmentation().AddEmptySegment(segment, segment)
        paint(node, segment, mask, geometry)
    return node


def paint(segmentation, identifier, mask, geometry):
    """Make a mask (I, J, K) the content of a segment; segments may overlap."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    image = oriented_image(mask.astype(np.uint8), geometry)
    assert logic.SetBinaryLabelmapToSegment(image, segmentation, identifier, logic.MODE_REPLACE)


def add_segment(segmentation, name, color=(0.2, 0.6, 0.9), terminology=""):
    identifier = segmentation.GetSegmentation().AddEmptySegment("", name, color)
    if terminology:
        tag = slicer.vtkSegment.GetTerminologyEntryTagName()
        segmentation.GetSegmentation().GetSegment(identifier).SetTag(tag, terminology)
    return identifier


def paint_slices(engine, labels, names):
    """Paint on the engine's annotation slices what `labels` (I, J, K) has there, and mark them complete."""
    volume = engine.nodes.volume().first
    known = np.zeros(labels.shape, bool)
    for found in engine.annotation_slices():
        np.moveaxis(known, found.axis, 0)[found.index] = True
    for value, name in names.items():
        identifier = engine.seeds.GetSegmentation().GetSegmentIdBySegmentName(name)
        identifier = identifier or add_segment(engine.seeds, name)
        paint(engine.seeds, identifier, known & (labels == value), VoxelGeometry.of(volume))
    for found in engine.annotation_slices():
        engine.mark_complete(found.axis, found.index)


def check_saved_and_reloaded(a_scene, engine, again, folder: Path) -> DiffusionSegEngine:
    """Save the result as .seg.nrrd, and the task as .mrb which is loaded into the scene `again`: both hold the same.

    Gives the loaded task. Of a left-handed volume the slices have another order in there, for so Slicer reads it: all
    is compared by its place.
    """
    volume, result = engine.nodes.volume().first, engine.result
    storage = a_scene.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(folder / "result.seg.nrrd"))
    assert storage.WriteData(result)
    loaded = a_scene.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(loaded)
    a_scene.save(folder / "task.mrb")
    again.load(folder / "task.mrb")
    engine_again = DiffusionSegEngine(again.scene, lambda: None, str(folder))
    for kept, there in ((result, loaded), (result, engine_again.result), (engine.seeds, engine_again.seeds)):
        before, after = masks_by_name(kept, volume), masks_by_name(there, volume)
        assert list(before) == list(after)
        assert all(np.array_equal(after[name], mask) for name, mask in before.items())
        assert list(labels_of(kept).values()) == list(labels_of(there).values())
    scans = (volume, engine.uncertainty_volume), (engine_again.nodes.volume().first, engine_again.uncertainty_volume)
    for before, after in zip(*scans, strict=True):
        assert np.array_equal(voxels_on(after, VoxelGeometry.of(before)), voxels_on(before, VoxelGeometry.of(before)))
    assert slices_by_place(engine_again) == slices_by_place(engine)
    assert suggestions_by_place(engine_again) == suggestions_by_place(engine)
    return engine_again


def voxels_on(volume, geometry: VoxelGeometry):
    """A volume's values (I, J, K) in the order of other voxels at the same places: the same order, or K turned over."""
    there = VoxelGeometry.of(volume)
    values = slicer.util.arrayFromVolume(volume).transpose(2, 1, 0)
    if there.matches(geometry):
        return values
    turning = np.diag([1.0, 1.0, -1.0, 1.0])
    turning[2, 3] = there.shape[2] - 1
    assert VoxelGeometry(there.shape, there.affine @ turning).matches(geometry)
    return values[:, :, ::-1]


def slices_by_place(engine) -> dict[tuple[float, ...], str]:
    """How far each annotation slice has come, by its middle in the world."""
    return {_place(engine, found): found.state for found in engine.annotation_slices()}


def suggestions_by_place(engine) -> dict[tuple[float, ...], float]:
    """How unsure the segmenter is on each suggested slice, by its middle in the world."""
    return {_place(engine, found): score for found, score in engine.suggestions}


def _place(engine, found) -> tuple[float, ...]:
    return tuple(np.round(world_centre(engine.nodes.volume().first, *found.place), 2) + 0.0)


def dice(first, second):
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def masks_by_name(segmentation, volume):
    """The segments' masks on the volume's voxels by segment name."""
    contents = segmentation.GetSegmentation()
    return {
        contents.GetSegment(identifier).GetName(): segment_mask(segmentation, identifier, volume)
        for identifier in contents.GetSegmentIDs()
    }


def world_points(mask, affine):
    """The RAS places of a mask's voxels, rounded and sorted, to compare masks on different grids."""
    points = np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3]
    return np.unique(points.round(2) + 0.0, axis=0)


def rotation_node(scene, degrees=20.0, name="moved"):
    matrix = vtk.vtkTransform()
    matrix.Translate(5, -3, 2)
    matrix.RotateZ(degrees)
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(matrix.GetMatrix())
    return node
