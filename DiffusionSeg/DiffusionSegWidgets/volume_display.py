"""What the slice views show, and what the planes of a volume are called."""

from __future__ import annotations

import slicer
import vtk
from slicer.i18n import tr as _


def show_volume(volume, *, alone: bool = False) -> None:
    """Put a volume into the background of all slice views, which are turned to the volume's own planes.

    Views that show it already stay as the user, or a saved scene, has left them.

    Args:
        volume: the volume.
        alone: take away what lies over it, as where that is another patient's.
    """
    nothing = {"foreground": None, "label": None} if alone else {}
    new = any(found is not volume for found in volumes_in_views())
    slicer.util.setSliceViewerLayers(background=volume, **nothing, fit=new, rotateToVolumePlane=new)


def volumes_in_views() -> list:
    """What lies in the background of each slice view of the layout; None where nothing does."""
    manager = slicer.app.layoutManager()
    if manager is None:
        # Slicer's own tests open the module without a main window.
        return []
    layers = [manager.sliceWidget(name).mrmlSliceCompositeNode() for name in manager.sliceViewNames()]
    return [slicer.mrmlScene.GetNodeByID(layer.GetBackgroundVolumeID() or "") for layer in layers]


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
