"""Phantoms, geometries and the real data that tests share."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.template import Template
from DiffusionSegLib.volume import Volume

REPOSITORY = Path(__file__).parents[1]


def axis_orders() -> list[np.ndarray]:
    """The 48 ways in which a file's axes can run along the patient's, as rotations and reflections."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            for axis, (along, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[along, axis] = sign
            found.append(matrix)
    return found


def an_affine(directions: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing)
    affine[:3, 3] = (-30.0, 12.5, 7.0)
    return affine


def an_oblique_rotation() -> np.ndarray:
    """17 degrees about the third axis after 9 about the first."""
    a, b = np.deg2rad(17), np.deg2rad(9)
    about_third = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_first = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_third @ about_first


def a_head(shape: tuple[int, int, int] = (40, 36, 32)) -> tuple[np.ndarray, np.ndarray]:
    """A bright ellipsoid in air with two darker balls in it: image (I, J, K) and labels 3 and 7."""
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    labels = np.zeros(shape, np.int32)
    labels[np.linalg.norm(places - np.array([0.25, 0.2, 0.0]).reshape(3, 1, 1, 1), axis=0) < 0.35] = 3
    labels[np.linalg.norm(places - np.array([-0.35, -0.2, 0.1]).reshape(3, 1, 1, 1), axis=0) < 0.3] = 7
    texture = np.random.default_rng(0).normal(0, 15, shape)
    brightness = np.select([labels == 3, labels == 7], [180.0, 320.0], 700.0) + texture
    image = np.where(np.linalg.norm(places, axis=0) < 0.9, np.maximum(brightness, 1), 0)
    return image.astype(np.float32), np.where(image > 0, labels, 0)


def a_volume(image: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    return Volume(image[None], Grid(image.shape, np.eye(4) if affine is None else affine), "head")


@pytest.fixture
def obeyed_ctrl_c() -> Iterator[None]:
    """Ctrl-C as a terminal's programs know it, also where a shell runs the tests in the background, deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """A bundle with a small denoiser of random weights, on disk."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def aligned_bundle(tiny_bundle: ModelBundle, tmp_path: Path) -> ModelBundle:
    """The tiny bundle with a template, in which positions are features."""
    folder = tmp_path / "aligned"
    shutil.copytree(tiny_bundle.folder, folder)
    Template(np.clip(a_head((24, 24, 24))[0] / 1000, 0, 1), 2.0).save(folder / "template.nii.gz")
    features = replace(tiny_bundle.config.features, coordinates="template")
    config = replace(tiny_bundle.config, features=features)
    (folder / "config.json").write_text(json.dumps(to_json(config)))
    return replace(tiny_bundle, folder=folder, config=config)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real volumes; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("DIFFUSIONSEG_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real volumes are not in {folder}; set DIFFUSIONSEG_DATA")
    return folder


@pytest.fixture
def full_disk(tmp_path):
    """A disk of 24 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
