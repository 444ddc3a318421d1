import signal
import threading
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head
from small_denoiser import SMALL

from DiffusionSegLib.diffusion import pretraining
from DiffusionSegLib.diffusion.augmentation import AugmentationConfig
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.slice_source import SliceSource
from DiffusionSegLib.diffusion.training_state import TrainingState
from DiffusionSegLib.errors import DiffusionSegError

CONFIG = PretrainingConfig(unet=SMALL, crop=16, batch=4, steps=6, save_every=3)


def normalised_head():
    image, labels = a_head()
    return (image / image.max() * 2 - 1)[None].astype(np.float16), labels[None].astype(np.int16)


def a_pretraining(config=CONFIG):
    image, labels = normalised_head()
    return Pretraining([image], [labels], config, torch.device("cpu"))


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole = a_pretraining()
    whole.run(tmp_path / "whole")

    def stop_after_three(_stage, done, _total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_pretraining().run(tmp_path / "parts", stop_after_three)
    resumed = a_pretraining()
    resumed.run(tmp_path / "parts")
    assert resumed.state.step == 6
    for name, value in whole.state.mean.items():
        torch.testing.assert_close(resumed.state.mean[name], value, rtol=0, atol=0)


@pytest.mark.usefixtures("obeyed_ctrl_c")
def test_ctrl_c_is_obeyed_in_the_midst_of_a_backward_pass(monkeypatch):
    # Of one that takes some tenths of a second.
    begun = a_pretraining(replace(CONFIG, unet=replace(SMALL, base_channels=16), crop=96, batch=16))
    backward = torch.Tensor.backward

    def pressed_meanwhile(loss):
        threading.Timer(0.02, signal.raise_signal, [signal.SIGINT]).start()
        backward(loss)

    monkeypatch.setattr(torch.Tensor, "backward", pressed_meanwhile)
    with pytest.raises(KeyboardInterrupt):
        list(begun.learn())
    assert not all(parameter.grad is not None for parameter in begun.state.model.parameters())


def test_what_a_step_sees_depends_on_its_number_alone():
    first, second = a_pretraining()._batch(17), a_pretraining()._batch(17)
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("target", ["epsilon", "v"])
def test_the_loss_falls(shared, target):
    begun = a_pretraining(replace(CONFIG, steps=60, learning_rate=3e-3, shared=shared, target=target))
    losses = [float(loss) for loss in begun.learn()]
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def with_positions(volume):
    """The volume with its voxels' places, from -1 to 1, as three more channels."""
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in volume.shape[1:]), indexing="ij"))
    return np.concatenate([volume, places]).astype(np.float16)


def a_guided_pretraining(**changes):
    config = replace(CONFIG, unet=replace(SMALL, channels_out=4), position_weight=2.0, **changes)
    image, labels = normalised_head()
    return Pretraining([with_positions(image)], [with_positions(labels)], config, torch.device("cpu"))


@pytest.mark.parametrize("shared", [True, False])
def test_positions_are_learnt_beside_the_noise(shared):
    begun = a_guided_pretraining(steps=60, learning_rate=3e-3, shared=shared)
    losses = [float(loss) for loss in begun.learn()]
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    assert begun.samples().ndim == 2


def test_losses_on_a_full_disk_are_told_of_and_leave_nothing_half_written(full_disk, monkeypatch):
    def fill(_state, folder):
        with suppress(OSError), (folder / "others").open("wb", buffering=0) as file:
            while file.write(bytes(512)):
                pass

    monkeypatch.setattr(TrainingState, "save", fill)
    with pytest.raises(DiffusionSegError, match="no space left"):
        a_pretraining().run(full_disk)
    assert [path.name for path in full_disk.iterdir()] == ["others"]


def test_positions_turn_over_in_a_mirror_and_tell_no_side_in_sagittal_slices():
    begun = a_guided_pretraining(
        augmentation=AugmentationConfig(rotation_degrees=0, zoom=0), batch=64, synthetic_share=0
    )
    images, positions, views, _, _ = begun._batch(0)
    assert (positions[views == 0, 0] >= 0).all()
    across = positions[views == 2, 0]
    tissue = images[views == 2, 0] > -0.99
    # Mirrored or not, the right side of the head comes where its positions say: they rise along the first axis.
    steps = (across[:, 1:] - across[:, :-1])[tissue[:, 1:] & tissue[:, :-1]]
    assert (steps > 0).all()


def test_a_training_begins_with_the_weights_of_another_bundle(tiny_bundle):
    config = replace(CONFIG, unet=replace(tiny_bundle.config.unet, channels_out=4), position_weight=2.0)
    image, labels = normalised_head()
    begun = Pretraining([with_positions(image)], [with_positions(labels)], config, torch.device("cpu"))
    begun.start_from(tiny_bundle.denoisers())
    given = tiny_bundle.denoisers().state_dict()
    for name, value in begun.state.mean.items():
        torch.testing.assert_close(value[: len(given[name])], given[name], rtol=0, atol=0)


def test_a_bundle_of_another_shape_to_start_from_is_told_of(tiny_bundle):
    begun = a_pretraining(replace(CONFIG, unet=replace(SMALL, base_channels=16)))
    with pytest.raises(DiffusionSegError, match="another shape"):
        begun.start_from(tiny_bundle.denoisers())


def test_losses_are_written_in_full_where_they_are_told_of_now_and_then(tmp_path, monkeypatch):
    def of(every):
        monkeypatch.setitem(pretraining.TOLD_EVERY, "cpu", every)
        told, folder = [], tmp_path / str(every)
        a_pretraining().run(folder, lambda text, done, _: told.append((done, text)))
        return told, (folder / "losses.jsonl").read_text()

    (often, written), (seldom, also_written) = of(1), of(4)
    assert written == also_written
    assert len({text for _, text in often}) == 6
    # The first loss, until the fourth step brings the next.
    assert seldom == [*((done, often[0][1]) for done in (1, 2, 3)), *((done, often[3][1]) for done in (4, 5, 6))]


def test_crops_hold_all_of_a_small_volume_and_only_tissue_of_a_large_one():
    volume = np.full((1, 20, 20, 20), -1, np.float32)
    volume[0, 5:9, 5:9, 5:9] = 1
    crops, views = SliceSource([volume], outside=-1).draw(12, 16, np.random.default_rng(0))
    assert crops.shape == (12, 1, 16, 16)
    assert set(views.tolist()) == {0, 1, 2}
    assert (crops == 1).sum(dim=(1, 2, 3)).tolist() == [16] * 12
