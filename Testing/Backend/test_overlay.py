from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.overlay import PAINTED_FRAME, PANEL_PIXELS, write_overlay
from DiffusionSegLib.prediction import Prediction

RED = Label(1, "structure", (255, 0, 0))


def _picture(folder, labelmap, affine, painted=((), (), ())):
    image = np.full(labelmap.shape, 100.0, np.float32)
    image[0, 0, 0] = 0
    grid = Grid(labelmap.shape, affine)
    prediction = Prediction(
        labelmap, np.zeros(labelmap.shape, np.float32), np.zeros(labelmap.shape, np.uint8), grid, (RED,)
    )
    write_overlay(folder / "overlay.png", image, prediction, painted)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "overlay.png"))).astype(int)


def _red(picture):
    return np.argwhere((picture[..., 0] - picture[..., 1]) > 60)


def test_three_views_are_shown_at_a_readable_size(tmp_path):
    labelmap = np.zeros((20, 24, 28), np.uint16)
    labelmap[8:12, 10:14, 12:16] = 1
    picture = _picture(tmp_path, labelmap, np.eye(4))
    assert picture.shape == (3 * PANEL_PIXELS, 4 * PANEL_PIXELS, 3)
    assert len(_red(picture))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_patients_right_is_on_the_viewers_left_whatever_the_axes_direction(tmp_path, sign):
    labelmap = np.zeros((20, 20, 20), np.uint16)
    # In RAS the right side is at large coordinates.
    right = slice(14, 18) if sign > 0 else slice(2, 6)
    labelmap[right, 8:12, 8:12] = 1
    axial = _red(_picture(tmp_path, labelmap, np.diag([sign, 1.0, 1.0, 1.0]))[:PANEL_PIXELS, :PANEL_PIXELS])
    assert axial[:, 1].mean() < PANEL_PIXELS / 2


def test_pixels_are_isotropic_for_anisotropic_voxels(tmp_path):
    labelmap = np.zeros((40, 40, 10), np.uint16)
    labelmap[10:30, 10:30, 3:8] = 1  # 20 x 20 x 20 mm
    coronal = _red(
        _picture(tmp_path, labelmap, np.diag([1.0, 1.0, 4.0, 1.0]))[PANEL_PIXELS:, :PANEL_PIXELS][:PANEL_PIXELS]
    )
    height, width = np.ptp(coronal, axis=0)
    assert abs(height - width) <= 3


def test_a_painted_slice_has_a_frame(tmp_path):
    labelmap = np.zeros((20, 20, 20), np.uint16)
    labelmap[4:16, 4:16, 4:16] = 1
    picture = _picture(tmp_path, labelmap, np.eye(4), ((), (), (10,)))
    framed = (picture == PAINTED_FRAME).all(axis=2)
    assert framed[:PANEL_PIXELS].any()
    assert not framed[PANEL_PIXELS:].any()


def test_nothing_segmented_still_makes_a_picture(tmp_path):
    assert len(_red(_picture(tmp_path, np.zeros((20, 20, 20), np.uint16), np.eye(4)))) == 0
