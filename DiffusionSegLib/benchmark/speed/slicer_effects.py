"""Slicer's own ways to fill a volume from seeds, as its Segment Editor runs them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from DiffusionSegLib.annotation import Annotation


class SlicerAbsentError(Exception):
    """Slicer's core, or a filter of it, is not installed; says which."""


def _slicer(filter_name: str) -> Any:
    # Without this the interpolation's threads crash the interpreter when it ends.
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_THREADER", "Platform")
    try:
        import slicer
    except ImportError as error:
        raise SlicerAbsentError("slicer-core is not installed") from error
    if not hasattr(slicer, filter_name):
        raise SlicerAbsentError(f"slicer-core has no {filter_name}")
    return getattr(slicer, filter_name)()


def grow_cut(image: np.ndarray, annotation: Annotation) -> np.ndarray:
    """Labels (I, J, K) that grow from what is annotated over `image` (I, J, K): "Grow from seeds"."""
    grow = _slicer("vtkImageGrowCutSegment")
    # In seeds 0 means unknown, so that classes are counted from 1.
    seeds = np.searchsorted(annotation.classes, annotation.labelmap) + 1
    grow.SetIntensityVolume(_vtk_image(image.astype(np.float32)))
    grow.SetSeedLabelVolume(_vtk_image(np.where(annotation.known, seeds, 0).astype(np.int16)))
    grow.Update()
    return np.asarray(annotation.classes)[_array(grow.GetOutput()) - 1]


def fill_between_slices(annotation: Annotation) -> np.ndarray:
    """Labels (I, J, K) interpolated between the painted slices: "Fill between slices"."""
    fill = _slicer("vtkITKMorphologicalContourInterpolator")
    fill.SetInputData(_vtk_image(np.maximum(annotation.labelmap, 0).astype(np.int16)))
    fill.Update()
    return _array(fill.GetOutput())


def _vtk_image(array: np.ndarray) -> Any:
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(order="F"), deep=True))
    return image


def _array(image: Any) -> np.ndarray:
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions(), order="F")
