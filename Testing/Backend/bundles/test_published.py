"""Bundles made of published checkpoints; small ones of the same layouts stand for them."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head
from small_denoiser import SMALL, with_random_weights

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.bundles import published
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.commands.import_checkpoint import LAYOUTS
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNet
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig

COLOURS = replace(SMALL, channels_in=3, channels_out=6)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint for colours in the layout guided-diffusion-256, which is made as small as it is."""
    model = with_random_weights(COLOURS)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    small = published.PublishedDenoiser("Small.", COLOURS, NoiseSchedule(), FeatureConfig(blocks=(0, 2)), grey=True)
    monkeypatch.setitem(published.PUBLISHED, "guided-diffusion-256", small)
    return model, tmp_path / "model.pt"


def imported(path, folder):
    return main(["import", str(path), "--layout", "guided-diffusion-256", "--out", str(folder), "--licence", "MIT"])


def test_a_checkpoint_becomes_a_bundle_that_computes_what_it_did(checkpoint, tmp_path, capsys):
    model, path = checkpoint
    assert imported(path, tmp_path / "bundle") == 0
    assert f"--bundle {tmp_path / 'bundle'}" in capsys.readouterr().out
    bundle = ModelBundle.load(tmp_path / "bundle")
    assert (bundle.name, bundle.licence, bundle.config.told_view) == ("guided-diffusion-256", "MIT", False)
    slices, steps = torch.randn(2, 1, 8, 8), torch.tensor([50])
    expected = model.activations(slices.expand(-1, 3, -1, -1), steps, None, (0, 2))
    for view in range(3):
        found = bundle.denoisers().activations(slices, steps, view, (0, 2))
        for block in (0, 2):
            # Weights are kept in half precision.
            torch.testing.assert_close(found[block], expected[block].detach(), rtol=0.02, atol=0.05)


def test_features_of_a_scan_are_taken_from_it(checkpoint, tmp_path):
    _, path = checkpoint
    imported(path, tmp_path / "bundle")
    bundle = ModelBundle.load(tmp_path / "bundle")
    image, _ = a_head((12, 14, 10))
    normalised = (image / image.max() * 2 - 1)[None].astype(np.float32)
    extractor = ActivationExtractor(bundle.denoisers(), bundle.config.schedule, bundle.config.features)
    views = extractor.extract(normalised, image > 0)
    assert [view.axis for view in views] == [0, 1, 2]
    assert all(level.values.isfinite().all() and level.values.any() for view in views for level in view.levels.values())


def test_a_checkpoint_of_another_layout_is_told_and_nothing_is_written(checkpoint, tmp_path, capsys):
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "other.pt")
    assert imported(tmp_path / "other.pt", tmp_path / "bundle") == 2
    assert "another kind of denoiser" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_a_folder_that_holds_a_bundle_is_not_written_to(checkpoint, tiny_bundle, tmp_path, capsys):
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    assert imported(checkpoint[1], tmp_path / "bundle") == 2
    assert "holds a bundle already" in capsys.readouterr().err
    assert ModelBundle.load(tmp_path / "bundle").digest == tiny_bundle.digest


def test_a_file_that_is_not_there_is_told(tmp_path, capsys):
    assert imported(tmp_path / "none.pt", tmp_path / "bundle") == 2
    assert "none.pt is no checkpoint that can be read" in capsys.readouterr().err


def test_all_layouts_can_be_chosen_and_have_the_blocks_that_are_taken():
    assert set(LAYOUTS) == set(published.PUBLISHED)
    for layout in published.PUBLISHED.values():
        assert max(layout.features.blocks) < layout.unet.decoder_blocks
        assert max(layout.features.time_steps) < layout.schedule.steps
        with torch.device("meta"):
            assert sum(1 for _ in UNet(layout.unet).parameters()) == {256: 566, 64: 570}[layout.unet.base_channels]
