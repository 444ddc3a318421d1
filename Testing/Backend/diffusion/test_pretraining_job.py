import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head
from small_denoiser import SMALL

from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.diffusion.augmentation import AugmentationConfig
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.pretraining_job import PretrainingJob
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.template import Template
from DiffusionSegLib.writing import write_volume

CONFIG = PretrainingConfig(unet=SMALL, crop=16, batch=4, steps=6, save_every=3)


def a_scan_and_its_labels(folder, spacing_mm=2.0):
    image, labels = a_head()
    grid = Grid(image.shape, np.diag([spacing_mm] * 3 + [1.0]))
    write_volume(folder / "scans" / "one.nii.gz", image, grid)
    write_volume(folder / "maps" / "one.nii.gz", labels.astype(np.uint16), grid)


def stop(*_):
    raise KeyboardInterrupt


def pretrain(folder, start_from=None, **changes):
    config = replace(CONFIG, **{"spacing_mm": 2.0, **changes})
    job = PretrainingJob(config, "mine", "CC0", "mr", start_from)
    job.run([folder / "scans"], [folder / "maps"], folder / "bundle", torch.device("cpu"))


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


def test_several_channels_become_a_bundle_for_scans_of_as_many(tmp_path):
    image, labels = a_head()
    grid = Grid(image.shape, np.diag([2.0, 2.0, 2.0, 1.0]))
    for name, data in (("T1w", image), ("FLAIR", image.max() - image), ("T2w", image)):
        write_volume(tmp_path / "scans" / f"one_{name}.nii.gz", data, grid)
    write_volume(tmp_path / "maps" / "one.nii.gz", labels.astype(np.uint8), grid)
    config = replace(CONFIG, spacing_mm=2.0, unet=replace(SMALL, channels_in=2, channels_out=2))
    job = PretrainingJob(config, "mine", "CC0", "mr", channels=("T1w", "FLAIR"))
    with pytest.warns(DiffusionSegWarning, match="1 of 3 files are left out"):
        job.run([tmp_path / "scans"], [tmp_path / "maps"], tmp_path / "bundle", torch.device("cpu"))
    bundle = find_bundle(str(tmp_path / "bundle"))
    assert bundle.config.unet.channels_in == 2
    assert bundle.config.description.endswith("of the channels T1w, FLAIR in this order.")
    assert bundle.denoisers().activations(torch.randn(1, 2, 16, 16), torch.tensor([5]), 0, [0])[0].isfinite().all()


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


def test_a_pretraining_goes_on_where_all_but_the_weights_changed_in_the_bundle_that_it_began_with(
    tmp_path, tiny_bundle
):
    a_scan_and_its_labels(tmp_path)
    shutil.copytree(tiny_bundle.folder, tmp_path / "other")
    Template(np.ones((8, 8, 8)), 2.0).save(tmp_path / "other" / "template.nii.gz")
    other = find_bundle(str(tmp_path / "other"))
    assert other.digest != tiny_bundle.digest
    changes = {"unet": replace(tiny_bundle.config.unet, classes=SMALL.classes), "shared": tiny_bundle.config.shared}
    pretrain(tmp_path, start_from=tiny_bundle, steps=3, **changes)
    pretrain(tmp_path, start_from=other, steps=6, **changes)
    lines = (tmp_path / "bundle" / "training" / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6]


def test_a_template_is_not_taken_over_by_another_pretraining_that_was_stopped_early(tmp_path, monkeypatch):
    a_scan_and_its_labels(tmp_path)

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


def test_a_step_that_lacks_memory_is_told_of_with_what_makes_it_smaller(tmp_path, monkeypatch):
    a_scan_and_its_labels(tmp_path)

    def short(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(Pretraining, "_learnt", short)
    with pytest.raises(DiffusionSegError, match="smaller --batch or --crop"):
        pretrain(tmp_path)


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


def pretrain_from(folder, start, **changes):
    unet = replace(start.config.unet, classes=SMALL.classes)
    pretrain(folder, start, **{"unet": unet, "shared": start.config.shared, **changes})


def test_weights_of_another_shape_to_start_from_leave_the_folder_to_the_corrected_command(tmp_path, tiny_bundle):
    a_scan_and_its_labels(tmp_path)
    with pytest.raises(DiffusionSegError, match="another shape"):
        pretrain_from(tmp_path, tiny_bundle, unet=replace(SMALL, base_channels=16))
    assert not (tmp_path / "bundle").exists()
    pretrain_from(tmp_path, tiny_bundle)
    assert (tmp_path / "bundle" / "model.safetensors").exists()


def test_a_pretraining_that_was_stopped_before_it_learnt_anything_does_not_hold_the_folder(tmp_path, monkeypatch):
    a_scan_and_its_labels(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Pretraining, "run", stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain(tmp_path)
    pretrain(tmp_path, crop=8)
    with pytest.raises(DiffusionSegError, match="another pretraining"):
        pretrain(tmp_path)


def test_a_folder_without_label_maps_is_told_of(tmp_path):
    a_scan_and_its_labels(tmp_path)
    (tmp_path / "maps" / "one.nii.gz").unlink()
    with pytest.raises(DiffusionSegError, match="no label maps"):
        pretrain(tmp_path)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("batch", [1, 2])
def test_label_maps_that_no_batch_has_room_for_are_told_of(tmp_path, batch):
    a_scan_and_its_labels(tmp_path)
    with pytest.raises(DiffusionSegError, match=f"batches of {batch} .* no image made from label maps"):
        pretrain(tmp_path, batch=batch)
    job = PretrainingJob(replace(CONFIG, spacing_mm=2.0, batch=batch), "mine", "CC0", "mr")
    job.run([tmp_path / "scans"], [], tmp_path / "bundle", torch.device("cpu"))
