import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import a_head

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.prediction import TILE
from DiffusionSegLib.scan_estimate import FIXED_BYTES, PIECE, _alignment, _slices_at_work, estimate
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.template import Template
from DiffusionSegLib.tiles import tiles_of
from DiffusionSegLib.volume import Volume

CPU = torch.device("cpu")
SHAPE = (48, 40, 36)
GRID = Grid(SHAPE, np.eye(4))
ENSEMBLE = EnsembleConfig(members=4, hidden=(16, 8), batch=64, steps=300, check_every=300)


@pytest.fixture(scope="module")
def denoisers(tiny_bundle):
    return tiny_bundle.denoisers()


@pytest.fixture(scope="module")
def estimated(tiny_bundle, denoisers):
    return estimate(tiny_bundle, denoisers, GRID, ENSEMBLE)


@pytest.fixture(scope="module")
def session(tiny_bundle):
    """A scan without any air, segmented from three slices of each view; `report` says how long that took."""
    image, labels = a_head(SHAPE)
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu", ensemble=ENSEMBLE))
    session.open(Volume(np.maximum(image, 50.0)[None], GRID))
    slices = tuple(tuple(size // 2 + step for step in (-4, 0, 4)) for size in SHAPE)
    session.annotate(Annotation.from_painting(labels, GRID, complete_slices=slices))
    session.train()
    session.prediction = session.predict()
    return session


def size(*arrays) -> int:
    return sum(array.numel() * array.element_size() if torch.is_tensor(array) else array.nbytes for array in arrays)


def test_the_memory_is_that_of_what_is_really_kept(session, estimated):
    features, voxels = session.features, int(np.prod(SHAPE))
    assert features.tissue.shape == SHAPE
    kept = [level for view in features.views for level in view.levels.values()]
    levels = sum(size(level.rows, level.values[1:]) for level in kept)
    # The scan as it was read, on the model's grid and normalised, and what is kept beside the activations, twice.
    beside = 3 * 4 * voxels + size(features.tissue) + 2 * size(features.local)
    found = session.prediction
    results = 2 * size(found.labelmap, found.uncertainty, found.confidence)
    painted = 3 * sum(voxels // edge for edge in SHAPE)
    # Once as gathered, once more with the mirror image of each, and less than once more along the principal axes.
    learnt = 4 * size(features.at(torch.zeros(1, 3, dtype=torch.long)).half()) * painted
    assert estimated.bytes == pytest.approx(levels + beside + results + learnt + FIXED_BYTES, abs=9)


def test_more_is_kept_of_each_voxel_where_more_is_asked_for(tiny_bundle, denoisers, estimated):
    features = replace(tiny_bundle.config.features, intensity_sigmas_mm=(0.0, 1.0, 2.0, 4.0, 8.0))
    more = replace(tiny_bundle, config=replace(tiny_bundle.config, features=features))
    added = estimate(more, denoisers, GRID, ENSEMBLE).bytes - estimated.bytes
    assert added >= 2 * 2 * np.prod(SHAPE)


def test_further_channels_take_memory(tiny_bundle, denoisers, estimated):
    found = estimate(tiny_bundle, denoisers, GRID, ENSEMBLE, channels=2)
    assert found.bytes - estimated.bytes >= 4 * 4 * np.prod(SHAPE)


def test_the_time_is_of_the_order_of_what_it_really_takes(session, estimated):
    spent = sum(stage["seconds"] for stage in session.report.stages.values())
    assert 1 / 5 < estimated.seconds / spent < 5


def test_a_scan_of_coarse_voxels_is_estimated_on_the_grid_of_the_denoiser(tiny_bundle, denoisers, estimated):
    coarse = Grid((24, 40, 36), np.diag([2.0, 1, 1, 1]))
    found = estimate(tiny_bundle, denoisers, coarse, ENSEMBLE)
    # Half of the voxels of the scan itself: as they were read, labels, uncertainty and confidence.
    less = (4 + 2 * (2 + 4 + 1)) * np.prod(coarse.shape)
    assert found.bytes == pytest.approx(estimated.bytes - less, abs=9)


def test_a_single_slice_can_be_estimated(tiny_bundle, denoisers):
    assert estimate(tiny_bundle, denoisers, Grid((20, 18, 1), np.eye(4)), ENSEMBLE).seconds > 0


def test_the_alignment_counts_where_positions_in_a_template_are_features(tiny_bundle, denoisers, tmp_path):
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    image = a_head((48, 48, 48))[0] / 1000
    Template(np.clip(image, 0, 1), 2.0).save(tmp_path / "bundle" / "template.nii.gz")
    features = replace(tiny_bundle.config.features, coordinates="template")
    aligned = ModelBundle(tmp_path / "bundle", replace(tiny_bundle.config, features=features))
    assert _alignment(aligned, SHAPE, CPU).seconds > 0
    assert _alignment(tiny_bundle, SHAPE, CPU).seconds == 0
    found = estimate(aligned, denoisers, GRID, ENSEMBLE)
    boxed = estimate(tiny_bundle, denoisers, GRID, ENSEMBLE)
    # Three positions, in place of those in a box, exist once more.
    assert found.bytes - boxed.bytes >= 3 * 4 * np.prod(SHAPE)


@pytest.mark.parametrize(("device", "slices"), [("cpu", torch.get_num_threads()), ("cuda", 7)])
def test_a_gpu_is_timed_with_as_many_slices_as_it_is_given_at_a_time(device, slices):
    asked = []
    extractor = SimpleNamespace(
        device=torch.device(device), slices_at_a_time=lambda rows, columns: [asked.append((rows, columns)), 7][1]
    )
    assert _slices_at_work(extractor, SHAPE, 1) == slices
    assert asked == ([(SHAPE[0], SHAPE[2])] if device == "cuda" else [])


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_cores_share_the_piece_that_is_measured(reduction):
    assert len(list(tiles_of(np.ones((PIECE, PIECE, PIECE), bool), TILE["cpu"], reduction))) == 8


def test_the_memory_alone_is_estimated_alike(tiny_bundle, denoisers, estimated):
    found = estimate(tiny_bundle, denoisers, GRID, ENSEMBLE, timed=False)
    assert (found.bytes, found.gpu_bytes) == (estimated.bytes, estimated.gpu_bytes)


def test_a_cropped_scan_needs_less_memory(tiny_bundle, denoisers, estimated):
    half = Grid((SHAPE[0], SHAPE[1], SHAPE[2] // 2), np.eye(4))
    found = estimate(tiny_bundle, denoisers, half, ENSEMBLE, timed=False)
    assert found.bytes - FIXED_BYTES < 0.6 * (estimated.bytes - FIXED_BYTES)
    assert found.gpu_bytes == pytest.approx(estimated.gpu_bytes / 2, rel=0.1)
