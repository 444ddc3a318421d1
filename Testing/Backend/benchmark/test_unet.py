"""The 2D U-Net on phantoms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head, a_volume

from DiffusionSegLib.annotation import UNKNOWN
from DiffusionSegLib.benchmark.annotated_slices import AnnotatedSlices
from DiffusionSegLib.benchmark.denoising_pretraining import DenoisingConfig, denoising_start
from DiffusionSegLib.benchmark.painting import annotate_slices, on_slices
from DiffusionSegLib.benchmark.scores import mean_dice
from DiffusionSegLib.benchmark.unet_method import UNetMethod
from DiffusionSegLib.benchmark.unet_training import UNetTraining, dice_and_cross_entropy, new_unet
from DiffusionSegLib.errors import DiffusionSegError

CPU = torch.device("cpu")
QUICK = UNetTraining(steps=60, batch=4, crop=48, learning_rate=3e-3)
BRIEF = DenoisingConfig(steps=2, batch=2, crop=32)


def nine_slices(background=True):
    image, labels = a_head()
    volume = a_volume(image)
    return volume, labels, annotate_slices(labels, volume.grid, per_axis=3, stride=4, background=background)


def test_nine_slices_give_the_rest_of_the_volume():
    volume, labels, annotation = nine_slices()
    method = UNetMethod(CPU, QUICK)
    scan = method.open(volume)
    found = method.predict(scan, method.train(scan, annotation))
    unpainted = ~on_slices(labels.shape, annotation.complete_slices)
    assert mean_dice(found * unpainted, labels * unpainted) > 0.7


def test_only_painted_slices_are_drawn_unless_the_background_is_known():
    volume, _, annotation = nine_slices(background=False)
    tissue = volume.data[0] > 0
    slices = AnnotatedSlices(volume.data[0] / 400 - 1, tissue, annotation.labelmap, background=False)
    painted = {(axis, index) for axis, indices in enumerate(annotation.complete_slices) for index in indices}
    assert set(slices.painted) == painted
    assert slices.others == []


def test_of_a_volume_every_slice_through_a_structure_is_painted():
    volume, labels, _ = nine_slices()
    slices = AnnotatedSlices(volume.data[0] / 400 - 1, volume.data[0] > 0, labels, background=True)
    assert len(slices.painted) == sum(np.flatnonzero(labels.any(axis=other)).size for other in [(1, 2), (0, 2), (0, 1)])
    assert slices.others


def test_images_and_classes_move_together_and_repeat_with_their_seed():
    _, labels = a_head()
    slices = AnnotatedSlices(np.where(labels == 3, 1, -0.5).astype(np.float32), labels >= 0, labels, background=False)
    images, classes = slices.draw(6, 40, torch.Generator().manual_seed(3))
    again, _ = slices.draw(6, 40, torch.Generator().manual_seed(3))
    torch.testing.assert_close(images, again)
    bright = images[:, 0] > 0
    inside = classes == 3
    assert inside.any()
    assert (bright == inside)[classes != UNKNOWN].float().mean() > 0.95


def test_air_is_not_learnt():
    volume, labels, _ = nine_slices()
    tissue = volume.data[0] > 0
    slices = AnnotatedSlices(volume.data[0] / 400 - 1, tissue, labels, background=False)
    assert (slices.classes.numpy()[~tissue] == UNKNOWN).all()


def test_unknown_voxels_do_not_count():
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    classes = torch.randint(3, (2, 8, 8), generator=torch.Generator().manual_seed(1))
    classes[:, 4:] = UNKNOWN
    changed = logits.clone()
    changed[:, :, 4:] += 5 * torch.randn(2, 3, 4, 8)
    torch.testing.assert_close(dice_and_cross_entropy(changed, classes), dice_and_cross_entropy(logits, classes))


def test_what_is_right_costs_nothing_and_what_is_wrong_the_more():
    classes = torch.tensor([[[0, 1], [2, UNKNOWN]]])
    right = 50 * torch.nn.functional.one_hot(classes.clamp(min=0), 3).movedim(-1, 1).float()
    assert dice_and_cross_entropy(right, classes) < 1e-3
    assert dice_and_cross_entropy(right.roll(1, dims=1), classes) > 1


def test_a_pretrained_start_reaches_all_layers_but_the_last():
    volume, _, annotation = nine_slices()
    start = denoising_start([volume], BRIEF, CPU)
    method = UNetMethod(CPU, replace(QUICK, steps=1, learning_rate=0.0), start)
    unet = method.train(method.open(volume), annotation).unet
    fresh = new_unet(3, QUICK.seed).state_dict()
    taken = {name for name, tensor in unet.state_dict().items() if name in start and torch.equal(tensor, start[name])}
    own = {name for name in fresh if name.startswith("final_conv.")}
    assert taken == set(fresh) - own
    assert all(torch.equal(unet.state_dict()[name], fresh[name]) for name in own)


def test_pretrained_weights_are_kept_and_read_again(tmp_path, monkeypatch):
    volume, _, _ = nine_slices()
    kept = tmp_path / "unet.safetensors"
    first = denoising_start([volume], BRIEF, CPU, kept)
    monkeypatch.setattr("DiffusionSegLib.benchmark.denoising_pretraining.pretrained", None)
    second = denoising_start([volume], BRIEF, CPU, kept)
    assert all(torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(DiffusionSegError, match="another way"):
        denoising_start([volume], replace(BRIEF, steps=3), CPU, kept)
    kept.write_bytes(b"damaged")
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        denoising_start([volume], BRIEF, CPU, kept)
