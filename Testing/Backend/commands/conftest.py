from __future__ import annotations

import numpy as np
import pytest
import torch
from brief_training import training_with

from DiffusionSegLib import session
from DiffusionSegLib.annotation_files import write_annotation
from DiffusionSegLib.bundles.bundle import BundleConfig
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNetConfig
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.writing import write_volume

UNET = UNetConfig(
    base_channels=8,
    multipliers=(1, 2),
    residual_blocks=1,
    attention_at=(),
    patch=2,
    classes=3,
    groups=4,
    head_channels=8,
)


def make_bundle(folder, *, seed=0, unet=UNET):
    torch.manual_seed(seed)
    weights = Denoisers(unet, shared=True).state_dict()
    features = FeatureConfig(time_steps=(50,), blocks=(1, 3))
    config = BundleConfig(folder.name, "tiny", "none", UNET, NoiseSchedule(), "epsilon", True, 1.0, "mr", features)
    write_bundle(folder, config, weights, "# tiny\n")
    return folder


@pytest.fixture(scope="session")
def case(tmp_path_factory):
    """A folder with a small bundle, a phantom of two structures on an anisotropic grid, and its painting."""
    folder = tmp_path_factory.mktemp("case")
    make_bundle(folder / "tiny")
    grid = Grid((32, 30, 20), np.diag([-1.0, 1.0, 1.5, 1.0]))
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in grid.shape), indexing="ij"))
    reference = np.zeros(grid.shape, np.int32)
    reference[np.linalg.norm(places, axis=0) < 0.8] = 1
    reference[np.linalg.norm(places, axis=0) < 0.45] = 2
    random = np.random.default_rng(0)
    scan = np.choose(reference, (0, 60, 120)) + random.normal(0, 2, grid.shape) * (reference > 0)
    write_volume(folder / "scan.nii.gz", scan.astype(np.float32), grid)
    write_volume(folder / "reference.nii.gz", reference.astype(np.uint8), grid)
    painted = np.zeros_like(reference)
    painted[16], painted[:, 15], painted[:, :, 10] = reference[16], reference[:, 15], reference[:, :, 10]
    labels = (Label(1, "shell", (200, 90, 40)), Label(2, "core", (40, 90, 200)))
    write_annotation(
        folder / "painted.nii.gz",
        painted,
        grid,
        complete_slices=((16,), (15,), (10,)),
        background_box=((2, 30), (2, 28), (1, 19)),
        labels=labels,
    )
    return folder


@pytest.fixture(scope="module", autouse=True)
def short_training():
    """Two structures of a phantom are learnt in a few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "train_ensemble", training_with(steps=150))
        yield
