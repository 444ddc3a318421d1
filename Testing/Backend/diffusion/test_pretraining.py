import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from conftest import a_head
from small_denoiser import SMALL

from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.diffusion import pretraining
from DiffusionSegLib.diffusion.augmentation import AugmentationConfig
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.pretraining_job import PretrainingJob, found_files
from DiffusionSegLib.diffusion.slice_source import SliceSource
from DiffusionSegLib.diffusion.synthesis import synthesised
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.writing import write_volume

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


def test_images_become_a_bundle_with_samples(tmp_path):
    image, labels = a_head()
    write_volume(tmp_path / "scans" / "one.nii.gz", image, Grid(image.shape, np.diag([2.0, 2.0, 2.0, 1.0])))
    write_volume(tmp_path / "maps" / "one.nii.gz", labels.astype(np.uint8), Grid(image.shape, np.eye(4)))
    job = PretrainingJob(replace(CONFIG, spacing_mm=2.0), "mine", "CC0", "mr")
    job.run([tmp_path / "scans"], [tmp_path / "maps"], tmp_path / "bundle", torch.device("cpu"))
    bundle = find_bundle(str(tmp_path / "bundle"))
    assert bundle.name == "mine"
    assert bundle.config.spacing_mm == 2.0
    bundle.denoisers()
    assert (tmp_path / "bundle" / "samples.png").stat().st_size > 100


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


def test_images_become_a_bundle_with_a_template(tmp_path):
    image, labels = a_head()
    for name, shift in (("one", 0), ("two", 2)):
        moved = np.roll(image, shift, axis=0)
        write_volume(tmp_path / "scans" / f"{name}.nii.gz", moved, Grid(image.shape, np.diag([2.0, 2.0, 2.0, 1.0])))
    write_volume(tmp_path / "maps" / "one.nii.gz", labels.astype(np.uint8), Grid(image.shape, np.eye(4)))
    config = replace(CONFIG, spacing_mm=2.0, unet=replace(SMALL, channels_out=4), position_weight=2.0)
    job = PretrainingJob(config, "mine", "CC0", "mr")
    job.run([tmp_path / "scans"], [tmp_path / "maps"], tmp_path / "bundle", torch.device("cpu"))
    bundle = find_bundle(str(tmp_path / "bundle"))
    assert bundle.config.features.coordinates == "template"
    assert bundle.template.spacing_mm == 2.0
    assert 0.5 < bundle.template.image.max() <= 1


def a_scan_and_its_labels(folder, spacing_mm=2.0):
    image, labels = a_head()
    grid = Grid(image.shape, np.diag([spacing_mm] * 3 + [1.0]))
    write_volume(folder / "scans" / "one.nii.gz", image, grid)
    write_volume(folder / "maps" / "one.nii.gz", labels.astype(np.uint16), grid)


def pretrain(folder, start_from=None, **changes):
    config = replace(CONFIG, **{"spacing_mm": 2.0, **changes})
    job = PretrainingJob(config, "mine", "CC0", "mr", start_from)
    job.run([folder / "scans"], [folder / "maps"], folder / "bundle", torch.device("cpu"))


def test_a_longer_training_goes_on_from_a_shorter_one(tmp_path):
    a_scan_and_its_labels(tmp_path)
    pretrain(tmp_path, steps=3)
    pretrain(tmp_path, steps=6)
    lines = (tmp_path / "bundle" / "training" / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6]


def test_a_folder_that_holds_a_pretraining_of_other_settings_is_told_of_and_left_alone(tmp_path):
    a_scan_and_its_labels(tmp_path)
    pretrain(tmp_path)
    before = (tmp_path / "bundle" / "training" / "checkpoint.safetensors").read_bytes()
    with pytest.raises(DiffusionSegError, match=r"another pretraining \(of other crop, unet\)"):
        pretrain(tmp_path, unet=replace(SMALL, base_channels=16), crop=8)
    assert (tmp_path / "bundle" / "training" / "checkpoint.safetensors").read_bytes() == before


def test_a_folder_that_holds_a_pretraining_on_other_images_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    pretrain(tmp_path)
    image, _ = a_head()
    write_volume(tmp_path / "scans" / "two.nii.gz", image[::-1], Grid(image.shape, np.diag([2.0, 2.0, 2.0, 1.0])))
    with pytest.raises(DiffusionSegError, match=r"\(of other images\)"):
        pretrain(tmp_path)


def test_a_folder_that_was_begun_with_other_weights_is_told_of(tmp_path, tiny_bundle):
    a_scan_and_its_labels(tmp_path)
    changes = {"unet": replace(tiny_bundle.config.unet, classes=SMALL.classes), "shared": tiny_bundle.config.shared}
    pretrain(tmp_path, **changes)
    with pytest.raises(DiffusionSegError, match=r"\(of other weights to start from\)"):
        pretrain(tmp_path, start_from=tiny_bundle, **changes)


def test_a_template_is_not_taken_over_by_another_pretraining_that_was_stopped_early(tmp_path, monkeypatch):
    a_scan_and_its_labels(tmp_path)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Pretraining, "run", stop)
    changes = {"unet": replace(SMALL, channels_out=4), "position_weight": 2.0}
    with pytest.raises(KeyboardInterrupt):
        pretrain(tmp_path, **changes)
    assert (tmp_path / "bundle" / "training" / "template.nii.gz").exists()
    with pytest.raises(DiffusionSegError, match=r"another pretraining .*spacing_mm"):
        pretrain(tmp_path, spacing_mm=4.0, **changes)


@pytest.mark.parametrize("changes", [{"crop": 15}, {"unet": replace(SMALL, base_channels=9)}])
def test_settings_that_make_no_denoiser_are_told_of_before_anything_is_read(tmp_path, changes):
    with pytest.raises(DiffusionSegError, match="There is no denoiser of"):
        pretrain(tmp_path, **changes)


def test_hidden_files_are_no_images_and_a_folder_of_dicom_series_is(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "t1.nii.gz").touch()
    (tmp_path / "scans" / "._t1.nii.gz").touch()
    series = tmp_path / "dicom" / "series"
    series.mkdir(parents=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((10, 12), np.int16)), str(series / "slice.dcm"))
    assert found_files([tmp_path / "scans", tmp_path / "dicom"]) == [tmp_path / "scans" / "t1.nii.gz", series]


def test_a_step_that_lacks_memory_is_told_of_with_what_makes_it_smaller(tmp_path, monkeypatch):
    a_scan_and_its_labels(tmp_path)

    def short(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(Pretraining, "_learnt", short)
    with pytest.raises(DiffusionSegError, match="smaller --batch or --crop"):
        pretrain(tmp_path)


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


def test_a_damaged_checkpoint_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    pretrain(tmp_path)
    (tmp_path / "bundle" / "training" / "checkpoint.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        pretrain(tmp_path)


def test_an_image_of_air_alone_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    below_zero = -np.arange(512, dtype=np.float32).reshape(8, 8, 8)
    write_volume(tmp_path / "scans" / "void.nii.gz", below_zero, Grid((8, 8, 8), np.eye(4)))
    with pytest.raises(DiffusionSegError, match=r"void\.nii\.gz shows nothing but air"):
        pretrain(tmp_path)


def test_a_label_map_without_labels_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    write_volume(tmp_path / "maps" / "void.nii.gz", np.zeros((8, 8, 8), np.uint8), Grid((8, 8, 8), np.eye(4)))
    with pytest.raises(DiffusionSegError, match=r"void\.nii\.gz holds no labels that"):
        pretrain(tmp_path)


def test_a_label_map_of_which_the_models_voxels_show_nothing_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[3, 3, 3] = 1
    write_volume(tmp_path / "maps" / "speck.nii.gz", labels, Grid(labels.shape, np.diag([0.5, 0.5, 0.5, 1.0])))
    with pytest.raises(DiffusionSegError, match=r"speck\.nii\.gz holds no labels that"):
        pretrain(tmp_path)


def test_label_maps_with_more_and_larger_values_than_half_precision_holds_keep_them_apart(tmp_path):
    a_scan_and_its_labels(tmp_path)
    labels = np.zeros((8, 8, 8), np.uint16)
    labels[:, :, 2:4], labels[:, :, 4:6] = 60_000, 60_001
    write_volume(tmp_path / "maps" / "one.nii.gz", labels, Grid(labels.shape, np.diag([2.0, 2.0, 2.0, 1.0])))
    placed = PretrainingJob(replace(CONFIG, spacing_mm=2.0), "mine", "CC0", "mr")._labelmap(
        tmp_path / "maps" / "one.nii.gz"
    )
    assert [len(np.unique(placed[0, :, :, k])) for k in range(8)] == [1] * 8
    assert sorted(np.unique(placed)) == [0, 1, 2]


@pytest.mark.parametrize("flip", [True, False])
def test_the_template_of_a_body_part_that_is_not_flipped_stays_asymmetric(tmp_path, flip):
    a_scan_and_its_labels(tmp_path)
    image, _ = a_head()
    image[: len(image) // 3] *= 0.3
    write_volume(tmp_path / "scans" / "one.nii.gz", image, Grid(image.shape, np.diag([2.0, 2.0, 2.0, 1.0])))
    pretrain(
        tmp_path,
        unet=replace(SMALL, channels_out=4),
        position_weight=2.0,
        augmentation=AugmentationConfig(flip=flip),
    )
    assert find_bundle(str(tmp_path / "bundle")).template.symmetric == flip


def test_a_folder_without_images_is_told_of(tmp_path):
    with pytest.raises(DiffusionSegError, match="no images"):
        PretrainingJob(CONFIG, "mine", "CC0", "mr").run([tmp_path], [], tmp_path / "out", torch.device("cpu"))


def test_crops_hold_all_of_a_small_volume_and_only_tissue_of_a_large_one():
    volume = np.full((1, 20, 20, 20), -1, np.float32)
    volume[0, 5:9, 5:9, 5:9] = 1
    crops, views = SliceSource([volume], outside=-1).draw(12, 16, np.random.default_rng(0))
    assert crops.shape == (12, 1, 16, 16)
    assert set(views.tolist()) == {0, 1, 2}
    assert (crops == 1).sum(dim=(1, 2, 3)).tolist() == [16] * 12


def test_each_label_of_a_synthesised_image_has_a_brightness_of_its_own_and_air_stays_air():
    labels = torch.zeros(1, 1, 32, 32)
    labels[..., 2:16, 2:30], labels[..., 16:30, 2:30] = 1, 2
    image = synthesised(labels, torch.Generator().manual_seed(3))
    assert (image[labels == 0] == -1).all()
    inner = [image[..., 4:14, 4:28], image[..., 18:28, 4:28]]
    assert abs(float(inner[0].mean() - inner[1].mean())) > 0.1
