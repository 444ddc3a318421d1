"""Training all members of the ensemble at once."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.one_ahead import one_ahead
from DiffusionSegLib.progress import Curve, Progress, silent, unseen
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble, mean_probabilities
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.member_training import MemberTraining
from DiffusionSegLib.segmenter.principal_axes import PrincipalAxes
from DiffusionSegLib.segmenter.quick_products import lowered
from DiffusionSegLib.segmenter.steady_draws import steady_draws
from DiffusionSegLib.segmenter.training_draws import TrainingDraws, TrainingVoxels

# Neighbouring voxels are nearly copies of each other: what is held out must lie apart from what is learnt.
HELD_OUT_BLOCK = 8
HELD_OUT_VOXELS = 8192
# Who goes on from an ensemble that knows most of it needs fewer steps, and smaller ones so as not to forget.
WARM_STEPS, WARM_RATE = 0.25, 0.3
# Steps between two moments at which progress is told and training can be stopped: less than a fifth of a second.
STEPS_AT_A_TIME = 20


def train_ensemble(
    voxels: TrainingVoxels,
    classes: int,
    config: EnsembleConfig,
    seed: int,
    device: torch.device,
    progress: Progress = silent,
    start: MlpEnsemble | None = None,
    curve: Curve = unseen,
) -> MlpEnsemble:
    """An ensemble that has learnt the classes of the voxels; it stops when held-out neighbourhoods get no better.

    Args:
        voxels: what to learn.
        classes: number of classes.
        config: shape and training of the ensemble.
        seed: seeds everything that is drawn at random.
        device: what computes.
        progress: told of every step.
        start: an ensemble of the same shape to go on from, in fewer and smaller steps; it is left as it is.
        curve: told of the losses at every check.
    """
    if not 0 < config.activation_axes < voxels.activations:
        return _trained(voxels, classes, config, seed, device, progress, start, curve)
    if start is None:
        axes = PrincipalAxes.of(voxels, config.activation_axes)
    else:
        axes = PrincipalAxes.that_matter_to(start, voxels)
        start = axes.narrowed(start)
    return axes.widened(_trained(axes.along(voxels), classes, config, seed, device, progress, start, curve))


def _trained(
    voxels: TrainingVoxels,
    classes: int,
    config: EnsembleConfig,
    seed: int,
    device: torch.device,
    progress: Progress,
    start: MlpEnsemble | None,
    curve: Curve,
) -> MlpEnsemble:
    random = torch.Generator().manual_seed(seed)
    learnt, held_out = _split(voxels, config.held_out, seed)
    if start is not None:
        steps = max(int(config.steps * WARM_STEPS) // config.check_every, 1) * config.check_every
        config = replace(config, steps=steps, learning_rate=config.learning_rate * WARM_RATE)
    first = (_untrained(voxels, classes, config, seed) if start is None else start).to(device)
    features, targets = voxels.features.to(device), voxels.classes.to(device)
    draws = TrainingDraws(learnt, voxels, classes, config, random)
    found = _Best(first, features[held_out.to(device)].float(), targets[held_out.to(device)])
    training, done = MemberTraining(first, config, draws, lowered(features), targets), 0
    with closing(_drawn(draws, config, device)) as checks:
        for drawn in checks:
            for rows, counts in zip(*(of_steps.split(STEPS_AT_A_TIME) for of_steps in drawn), strict=True):
                training.learn(rows, counts)
                done += len(rows)
                progress("training", done, config.steps)
            agreement = found.consider(training.network.ensemble())
            curve(done, float(training.losses().mean()), agreement)
            if found.checks_without_improvement == config.patience:
                break
    return found.ensemble


def _drawn(
    draws: TrainingDraws, config: EnsembleConfig, device: torch.device
) -> Generator[tuple[Tensor, Tensor], None, None]:
    """What is drawn for the steps of one check after the other."""
    starts = range(0, config.steps, config.check_every)
    found = (draws.of_steps(min(config.check_every, config.steps - start), device) for start in starts)
    # A GPU learns meanwhile; on a CPU all cores are busy with that.
    return one_ahead(found) if device.type == "cuda" else found


class _Best:
    """The ensemble that is best on what is held out; where nothing is, the last one.

    Args:
        ensemble: what training starts from.
        features: of the voxels that are held out (N, features).
        targets: their class numbers (N,).
    """

    def __init__(self, ensemble: MlpEnsemble, features: Tensor, targets: Tensor) -> None:
        self.ensemble, self.features, self.targets = ensemble, features, targets
        self.loss, self.checks_without_improvement = math.inf, 0

    def consider(self, ensemble: MlpEnsemble) -> float | None:
        """Keep the ensemble if it is better; returns its agreement with what is held out, from 0 to 1."""
        if not len(self.targets):
            self.ensemble = ensemble
            return None
        loss = _loss(ensemble, self.features, self.targets)
        if loss < self.loss:
            self.ensemble, self.loss, self.checks_without_improvement = ensemble, loss, 0
        else:
            self.checks_without_improvement += 1
        return math.exp(-loss)


def _untrained(voxels: TrainingVoxels, classes: int, config: EnsembleConfig, seed: int) -> MlpEnsemble:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MlpEnsemble(config.members, voxels.features.shape[1], config.hidden, classes)


def _split(voxels: TrainingVoxels, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rows to learn and rows held out, whole blocks of voxels at a time; no class is ever held out completely."""
    blocks = voxels.points // HELD_OUT_BLOCK
    numbers = (blocks * torch.tensor([1, 1 << 20, 1 << 40])).sum(1).numpy()
    # Whoever goes on from what was learnt before must not have learnt what is held out now.
    out = torch.from_numpy(steady_draws(numbers, seed) < share)
    for value in voxels.classes.unique():
        of_class = voxels.classes == value
        # Small structures fill a handful of blocks: holding one out could cost a good part of all there is.
        if (of_class & ~out).sum() < (1 - 2 * share) * of_class.sum():
            out &= ~of_class
    held_out = out.nonzero()[:, 0]
    if len(held_out) > HELD_OUT_VOXELS:
        held_out = held_out[torch.from_numpy(np.random.default_rng(seed).permutation(len(held_out))[:HELD_OUT_VOXELS])]
    return (~out).nonzero()[:, 0], held_out


@torch.inference_mode()
def _loss(ensemble: MlpEnsemble, features: Tensor, targets: Tensor) -> float:
    likelihood = mean_probabilities(ensemble(features.expand(ensemble.members, -1, -1))).gather(1, targets[:, None])
    return float(-likelihood.clamp(min=1e-9).log().mean())
