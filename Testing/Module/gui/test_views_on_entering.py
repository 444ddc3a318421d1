"""The views stay as the user left them where they show the volume already, in the panel with faked Slicer widgets."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from slicer_fakes.application import add_volume

VIEWS = ("Red", "Yellow", "Green")


@pytest.fixture
def fitted(monkeypatch, scene):
    """The volumes that the views were fitted to."""
    found, really = [], slicer.util.setSliceViewerLayers

    def set_layers(background, *, fit=False, **others):
        found.extend([background.GetName()] if fit else [])
        really(background, fit=fit, **others)

    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", set_layers)
    return found


@pytest.fixture
def oblique(scene):
    """A volume whose planes are not those of the views."""
    volume, matrix, turn = add_volume(scene, "oblique"), vtk.vtkMatrix4x4(), vtk.vtkTransform()
    turn.RotateWXYZ(20, 1, 1, 0)
    turn.GetMatrix(matrix)
    volume.SetIJKToRASMatrix(matrix)
    return volume


def look_at(scene, volume, views=VIEWS):
    for name in views:
        scene.GetFirstNode(name, "vtkMRMLSliceCompositeNode").SetBackgroundVolumeID(volume.GetID())


def planes(scene):
    found = [scene.GetFirstNode(name, "vtkMRMLSliceNode").GetSliceToRAS() for name in VIEWS]
    return np.array([[matrix.GetElement(row, column) for row in range(4) for column in range(4)] for matrix in found])


def test_views_that_show_the_volume_already_are_left_alone(scene, oblique, open_panel, fitted):
    look_at(scene, oblique)
    before = planes(scene)
    assert open_panel().parameters.input_volume is oblique
    assert fitted == []
    assert np.array_equal(planes(scene), before)


def test_views_that_show_something_else_are_turned_and_fitted_to_the_volume(scene, oblique, open_panel, fitted):
    look_at(scene, oblique, VIEWS[:2])
    before = planes(scene)
    open_panel()
    assert fitted == ["oblique"]
    assert not np.array_equal(planes(scene), before)


def test_views_are_left_alone_where_the_module_is_entered_again_or_a_scene_was_loaded(panel, scene, fitted):
    panel.exit()
    panel.enter()
    scene.InvokeEvent(scene.EndImportEvent)
    assert fitted == []


def test_views_follow_another_volume_that_is_chosen(panel, scene, fitted):
    panel.ui.inputVolumeSelector.setCurrentNode(add_volume(scene, "Next patient"))
    assert fitted == ["Next patient"]


def test_the_volume_in_the_views_is_taken_first_and_not_a_localizer(scene, open_panel):
    add_volume(scene, "localizer")
    scan = add_volume(scene, "T1")
    look_at(scene, scan, VIEWS[:1])
    assert open_panel().parameters.input_volume is scan


def test_the_module_opens_without_a_main_window(scene, open_panel, monkeypatch):
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: None)
    assert open_panel().parameters.input_volume is None
