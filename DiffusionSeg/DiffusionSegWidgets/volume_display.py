"""What the slice views show, and what the planes of a volume are called."""

from __future__ import annotations

import slicer
import vtk
from slicer.i18n import tr as _


def show_volume(volume, *, alone: bool = False) -> None:
    """Put a volume into the background of all slice views, which are turned to the volume's own planes.

    Args:
        volume: the volume.
        alone: take away what lies over it, as where that is another patient's.
    """
    nothing = {"foreground": None, "label": None} if alone else {}
    slicer.util.setSliceViewerLayers(background=volume, **nothing, fit=True, rotateToVolumePlane=True)


def voxels_of(volume) -> tuple | None:
    """How many voxels a volume has along its axes, and their edges; None where it has none."""
    image = None if volume is None else volume.GetImageData()
    return None if image is None else (image.GetDimensions(), volume.GetSpacing())


def name_of_slice(volume, axis: int, index: int) -> str:
    """A slice's name in the lists, such as "Axial, slice 57"; oblique volumes go by the closest orientation."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    along = [abs(matrix.GetElement(row, axis)) for row in range(3)]
    orientation = (_("Sagittal"), _("Coronal"), _("Axial"))[along.index(max(along))]
    return _("{orientation}, slice {index}").format(orientation=orientation, index=index)
