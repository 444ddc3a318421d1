"""Sample data for Slicer's module of that name: phantoms that are computed, so that nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DiffusionSegCore.annotation_board import AnnotationBoard
from DiffusionSegCore.input_volume import InputVolume
from DiffusionSegCore.phantom import LABELS, phantom
from DiffusionSegCore.scene_nodes import SceneNodes
from DiffusionSegCore.scene_state import SceneState
from DiffusionSegCore.seeds import seeds_for
from DiffusionSegCore.segment_voxels import write_labels

CATEGORY = "DiffusionSeg"
SHAPE = (72, 80, 64)
# Puts the body's middle where the views start.
ORIGIN = tuple(-(size - 1) / 2 for size in SHAPE)


def add_phantom(
    scene: slicer.vtkMRMLScene,
    image: np.ndarray,
    name: str = "Phantom",
    origin: tuple[float, float, float] = ORIGIN,
) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume node of an image (I, J, K), with voxels of 1 mm."""
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name))
    volume.SetOrigin(*origin)
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(image.transpose(2, 1, 0)))
    volume.CreateDefaultDisplayNodes()
    return volume


def paint_phantom(board: AnnotationBoard, labels: np.ndarray, stride: float = 10.0) -> None:
    """Paint nine slices of the chosen volume as `labels` (I, J, K) has them, and fit the background region."""
    known = np.zeros(labels.shape, bool)
    for found in board.propose_slices(stride=stride):
        np.moveaxis(known, found.axis, 0)[found.index] = True
    segments = [(label.name, label) for label in LABELS]
    write_labels(board.nodes.painted_seeds(), np.where(known, labels, 0), board.nodes.volume().geometry, segments)
    for found in board.annotation_slices():
        board.mark_complete(found.axis, found.index)
    board.fit_background_region()


def add_painted_phantom(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScalarVolumeNode:
    """A phantom whose nine slices are painted: in a scene without another task the module is ready to train on it."""
    image, labels = phantom(SHAPE)
    volume = InputVolume((add_phantom(scene, image, "PaintedPhantom"),))
    board = AnnotationBoard(SceneNodes(SceneState(scene)))
    with board.nodes.undisturbed():
        board.nodes.take(volume, seeds_for(volume, None)[0])
        paint_phantom(board, labels)
    return volume.first


def register(sample_data_logic: Any, thumbnail: str) -> None:
    """Offer the phantoms in the module Sample Data; again after a reload, each once.

    Args:
        sample_data_logic: SampleData's class `SampleDataLogic`.
        thumbnail: path of a picture of 260 x 280 pixels.
    """
    offered = {source.sampleName for source in sample_data_logic.sampleDataSourcesByCategory(CATEGORY)}
    for name, load in (("Phantom", _load_phantom), ("Painted phantom", _load_painted_phantom)):
        if name not in offered:
            sample_data_logic.registerCustomSampleDataSource(
                category=CATEGORY,
                sampleName=name,
                thumbnailFileName=thumbnail,
                uris=[],
                fileNames=[],
                nodeNames=[],
                customDownloader=load,
            )


def _load_phantom(_source: Any) -> None:
    _show(add_phantom(slicer.mrmlScene, phantom(SHAPE)[0]))


def _load_painted_phantom(_source: Any) -> None:
    _show(add_painted_phantom(slicer.mrmlScene))


def _show(volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
