"""Images made from label maps."""

import pytest
import torch

from DiffusionSegLib.diffusion.synthesis import coarsened, synthesised


def test_channels_of_a_synthesised_image_show_the_same_labels_in_contrasts_of_their_own():
    labels = torch.zeros(2, 1, 20, 20)
    labels[:, :, 5:15, 5:15] = 1
    labels[:, :, 8:12, 8:12] = 2
    images = synthesised(labels, 3, torch.Generator().manual_seed(3))
    assert images.shape == (2, 3, 20, 20)
    assert ((images == -1) == (labels == 0)).all()
    brightness = images[:, :, 9:11, 9:11].mean((2, 3)).flatten()
    assert len(brightness.unique()) == 6


def test_each_label_of_a_synthesised_image_has_a_brightness_of_its_own_and_air_stays_air():
    labels = torch.zeros(1, 1, 32, 32)
    labels[..., 2:16, 2:30], labels[..., 16:30, 2:30] = 1, 2
    image = synthesised(labels, 1, torch.Generator().manual_seed(3))
    assert (image[labels == 0] == -1).all()
    inner = [image[..., 4:14, 4:28], image[..., 18:28, 4:28]]
    assert abs(float(inner[0].mean() - inner[1].mean())) > 0.1


def stripes(axis):
    """An image of stripes two pixels wide across an axis, with air around it."""
    image = torch.full((1, 1, 32, 32), -1.0)
    bright = ((torch.arange(24) // 2) % 2).float()
    image[..., 4:28, 4:28] = bright[:, None] if axis == 0 else bright[None]
    return image


@pytest.mark.parametrize("axis", [0, 1])
def test_coarse_voxels_blur_what_lies_across_them_and_leave_what_lies_along_them(axis):
    images = stripes(axis).repeat(40, 1, 1, 1)
    contrast = coarsened(images, 4.0, torch.Generator().manual_seed(0))[:, 0, 8:24, 8:24].flatten(1).std(1)
    sharp = float(images[0, 0, 8:24, 8:24].std())
    # About half of them are coarse along the other axis.
    assert 10 < int((contrast > 0.99 * sharp).sum()) < 30
    assert float(contrast.min()) < 0.3 * sharp


def test_coarse_voxels_do_not_smear_tissue_into_the_air():
    images = stripes(0)
    found = coarsened(images, 4.0, torch.Generator().manual_seed(0))
    assert ((found == -1) == (images == -1)).all()


def test_voxels_of_one_pixel_change_nothing():
    images = stripes(0)
    torch.testing.assert_close(coarsened(images, 1.0, torch.Generator().manual_seed(0)), images)
