"""How long a scan will take and how much memory, before any of it is computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from DiffusionSegLib.alignment import AFFINE_MM
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.crew import Crew
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.slice_source import VIEW_AXES
from DiffusionSegLib.features.device_tier import SHARE_OF_FREE_MEMORY
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.needed_pixels import NeededPixels
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation, foreground_mask
from DiffusionSegLib.placement import Placement
from DiffusionSegLib.prediction import TILE, predict
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import train_ensemble
from DiffusionSegLib.segmenter.segmenter import Segmenter, SegmenterHeader
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels
from DiffusionSegLib.smoothing import Smoothing

# Edge of the piece of a scan that all but the activations and the alignment are measured on: up to eight cores share
# its tiles as they do a scan's; with more, the prediction will be quicker than estimated.
PIECE = 2 * TILE["cpu"]
PIECE_STEPS = 20
# How many structures will be painted is not known yet; it hardly matters.
CLASSES = 8
SLICES_A_VIEW = 3
# The template is aligned to itself with voxels of so many times its spacing.
COARSER = 3
# The process itself with torch loaded, and a batch of slices at work: measured on a processor, where a brain of
# 160 x 205 x 165 voxels then peaked at 1.80 GB of 1.93 estimated.
FIXED_BYTES = 700_000_000

Shape = tuple[int, int, int]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Estimate:
    """What to expect of features, training and prediction together; the air of the scan counts as if it were tissue.

    Args:
        seconds: how long it takes.
        bytes: how much memory it needs.
        gpu_bytes: with how much free memory a GPU keeps all activations beside what it computes from them.
    """

    seconds: float
    bytes: int
    gpu_bytes: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.seconds + other.seconds, self.bytes + other.bytes, self.gpu_bytes + other.gpu_bytes)


def estimate(
    bundle: ModelBundle,
    denoisers: Denoisers,
    grid: Grid,
    ensemble: EnsembleConfig,
    *,
    channels: int = 1,
    timed: bool = True,
    learning: bool = True,
) -> Estimate:
    """What a scan of so many channels on `grid` takes: each stage is run here and now, on a small part of such a scan.

    Of channels there are at least as many as the bundle works on.

    Where only the memory is of interest (`timed` false) that is done sooner, and `seconds` means nothing. Where nothing
    is learnt (`learning` false) the painted voxels take no memory.
    """
    shape = ModelGrid.for_grid(grid, bundle.config.spacing_mm).grid.shape
    found = _activations(bundle, denoisers, shape, timed=timed)
    painted = _painted_voxels(shape) if learning else 0
    found += _what_follows(bundle, denoisers, shape, channels, grid.shape, painted, ensemble, timed=timed)
    if timed:
        found += _alignment(bundle, shape, next(denoisers.parameters()).device)
    return found + Estimate(0.0, FIXED_BYTES)


def _activations(bundle: ModelBundle, denoisers: Denoisers, shape: Shape, *, timed: bool) -> Estimate:
    """As many slices of each view as are at work at a time stand for all; the activations stay in memory."""
    chosen = bundle.config.features
    seconds = size = 0.0
    for view in chosen.views:
        axis = VIEW_AXES[view]
        config = replace(chosen, views=(view,), time_steps=chosen.time_steps[:1])
        extractor = ActivationExtractor(denoisers, bundle.config.schedule, config)
        few = min(shape[axis], _slices_at_work(extractor, shape, axis) if timed else 1)
        of_few = tuple(few if other == axis else edge for other, edge in enumerate(shape))
        slices = np.zeros((bundle.config.unet.channels_in, *of_few), np.float32)
        tissue = np.ones(of_few, bool)
        (found,), spent = _timed(lambda: extractor.extract(slices, tissue), warm_up=timed)  # noqa: B023
        repeats = shape[axis] / few
        seconds += spent * repeats * len(chosen.time_steps)
        size += repeats * sum(_bytes_of(level, len(chosen.time_steps)) for level in found.levels.values())
    return Estimate(seconds, int(size), int(size / SHARE_OF_FREE_MEMORY))


def _bytes_of(level: NeededPixels, time_steps: int) -> int:
    """What a level takes with all time steps; that of a scan without any air, of which no more is known."""
    activations = time_steps * level.channels * level.values.element_size()
    return level.rows.numel() * (level.rows.element_size() + activations)


def _slices_at_work(extractor: ActivationExtractor, shape: Shape, axis: int) -> int:
    """A slice for each core; on a GPU, which takes hardly longer for many slices than for one, as many as it is given.

    More slices for a core would take longer, and each as long.
    """
    if extractor.device.type == "cpu":
        return Crew(extractor.device).size
    rows, columns = (edge for other, edge in enumerate(shape) if other != axis)
    return extractor.slices_at_a_time(rows, columns)


def _alignment(bundle: ModelBundle, shape: Shape, device: torch.device) -> Estimate:
    """The template, aligned to itself with coarser voxels; what that holds is gone again before the most is needed."""
    if bundle.config.features.coordinates != "template":
        return Estimate(0.0, 0)
    template = bundle.template
    coarse = replace(template, image=template.image[::COARSER, ::COARSER, ::COARSER])
    normalised = (2 * coarse.image - 1).astype(np.float32)

    def seconds(*, deforming: bool) -> float:
        work = partial(coarse.positions, normalised, coarse.spacing_mm, deforming=deforming, device=device)
        return _timed(work, warm_up=deforming)[1]

    extent_mm3 = float(np.prod(shape)) * bundle.config.spacing_mm**3
    both, affine = seconds(deforming=True), seconds(deforming=False)
    deformation = max(both - affine, 0)
    affine *= extent_mm3 / coarse.image.size / max(template.spacing_mm, AFFINE_MM) ** 3
    return Estimate(affine + deformation * extent_mm3 / coarse.image.size / template.spacing_mm**3, 0)


def _what_follows(
    bundle: ModelBundle,
    denoisers: Denoisers,
    shape: Shape,
    channels: int,
    source_shape: Shape,
    painted_voxels: int,
    config: EnsembleConfig,
    *,
    timed: bool,
) -> Estimate:
    """Preparation, gathering, training and prediction, on a piece of noise without any air."""
    spacing = bundle.config.spacing_mm
    piece = ModelGrid.for_grid(Grid((PIECE, PIECE, PIECE), np.diag([spacing] * 3 + [1.0])), spacing)
    channels = max(channels, bundle.config.unet.channels_in)
    raw = np.random.default_rng(0).uniform(1, 2, (channels, PIECE, PIECE, PIECE))
    raw = raw.astype(np.float32)
    normalised, preparation = _timed(lambda: Normalisation().apply(raw, bundle.config.modality), warm_up=timed)
    _, masking = _timed(lambda: foreground_mask(normalised), warm_up=timed)
    tissue = np.ones(raw.shape[1:], bool)
    positions = np.zeros((3, *tissue.shape), np.float32) if bundle.config.features.coordinates == "template" else None
    extractor = ActivationExtractor(denoisers, bundle.config.schedule, bundle.config.features)
    placement = None if positions is None else Placement(positions)
    features = OrthogonalFeatures.extract(normalised, tissue, extractor, spacing, placement=placement)
    points = torch.from_numpy(np.argwhere(tissue))
    gathered, gathering = _timed(lambda: features.at(points).half(), warm_up=timed)
    device = extractor.device
    voxels = TrainingVoxels(gathered, torch.arange(len(points)) % CLASSES, points, features.view_channels)
    trained, training = _training(voxels, config, device, timed=timed)
    header = SegmenterHeader.of(bundle, channels, bundle.config.features, config, tuple(range(CLASSES)))
    segmenter = Segmenter(header, trained)
    smoothing = Smoothing(features, piece, segmenter.header.values)
    prediction, predicting = _timed(lambda: predict(features, segmenter, piece, smoothing=smoothing), warm_up=timed)

    whole, painted = int(np.prod(shape)) / len(points), painted_voxels / len(points)
    seconds = (preparation + masking + predicting) * whole + gathering * painted + training
    # What is kept of each voxel exists twice while it is put together; beside it, what it was made from.
    of_model = (
        raw.nbytes + normalised.nbytes + tissue.nbytes + 2 * features.local.numel() * features.local.element_size()
    )
    of_model += 0 if positions is None else positions.nbytes
    # The results exist twice, too, while their axes are put into the scan's order.
    of_source = raw.nbytes + 2 * sum(
        array.nbytes for array in (prediction.labelmap, prediction.uncertainty, prediction.confidence)
    )
    # Once as gathered, twice with the mirror image of each, which is not always learnt, and at most once more along the
    # principal axes, which are far fewer than the activations.
    of_training = 4 * gathered.numel() * gathered.element_size()
    source = int(np.prod(source_shape)) / len(points)
    return Estimate(seconds, int(of_model * whole + of_source * source + of_training * painted))


def _training(
    voxels: TrainingVoxels, config: EnsembleConfig, device: torch.device, *, timed: bool
) -> tuple[MlpEnsemble, float]:
    """An ensemble that has learnt hardly anything, and the seconds that all steps would take."""

    def after(steps: int) -> tuple[MlpEnsemble, float]:
        few = replace(config, steps=steps, check_every=steps)
        return _timed(lambda: train_ensemble(voxels, CLASSES, few, 0, device), warm_up=timed)

    trained, first = after(1)
    if not timed:
        return trained, first
    # What comes before the first step is done once, however many follow.
    return trained, first + max(after(1 + PIECE_STEPS)[1] - first, 0) / PIECE_STEPS * (config.steps - 1)


def _painted_voxels(shape: Shape) -> int:
    """How many voxels the slices have that are painted to begin with."""
    return sum(min(SLICES_A_VIEW, edge) * int(np.prod(shape)) // edge for edge in shape)


def _timed(work: Callable[[], Found], *, warm_up: bool) -> tuple[Found, float]:
    """What work gives, and the seconds it takes once what is only done the first time is over."""
    if warm_up:
        work()
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start
