"""A segmenter that was trained on a phantom, and a folder of scans for it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from conftest import REPOSITORY, a_head, a_volume

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import Session, SessionOptions

BATCH = REPOSITORY / "DiffusionSegBatch"
SHAPE = (28, 26, 24)


@pytest.fixture(scope="session")
def segmenter(tiny_bundle, tmp_path_factory) -> Path:
    image, labels = a_head(SHAPE)
    volume = a_volume(image)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=EnsembleConfig(steps=150)))
    session.open(volume)
    session.annotate(
        Annotation.from_painting(labels, volume.grid, complete_slices=(tuple(range(28)), (), ()), background_box=None)
    )
    path = tmp_path_factory.mktemp("segmenter") / "two.safetensors"
    session.train().save(path)
    return path


@pytest.fixture
def scans(tmp_path) -> Path:
    """A folder with two scans, a damaged one and a file that is no scan."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, name in enumerate(("first.nii.gz", "second.nii")):
        nib.save(nib.Nifti1Image(a_head(SHAPE)[0] + number, np.diag([-1.0, 1, 1, 1])), folder / name)
    (folder / "damaged.nii.gz").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("no scan")
    return folder
