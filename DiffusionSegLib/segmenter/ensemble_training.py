"""Training all members of the ensemble at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.progress import Curve, Progress, silent, unseen
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble, mean_probabilities
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.shared_batch import SharedBatchNetwork
from DiffusionSegLib.segmenter.steady_draws import steady_draws
from DiffusionSegLib.segmenter.training_draws import TrainingDraws, TrainingVoxels

# Neighbouring voxels are nearly copies of each other: what is held out must lie apart from what is learnt.
HELD_OUT_BLOCK = 8
HELD_OUT_VOXELS = 8192
# Who goes on from an ensemble that knows most of it needs fewer steps, and smaller ones so as not to forget.
WARM_STEPS, WARM_RATE = 0.25, 0.3
# Groups of members that share what they learn from and see in a step.
GROUPS = 5


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
    random = torch.Generator().manual_seed(seed)
    learnt, held_out = _split(voxels, config.held_out, seed)
    if start is not None:
        steps = max(int(config.steps * WARM_STEPS) // config.check_every, 1) * config.check_every
        config = replace(config, steps=steps, learning_rate=config.learning_rate * WARM_RATE)
    first = _untrained(voxels, classes, config, seed) if start is None else start
    groups = min(GROUPS, config.members)
    network = SharedBatchNetwork(first.to(device), groups)
    optimizer = _adamw(network.parameters, config)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
    features, targets = voxels.features.to(device), voxels.classes.to(device)
    held_out_features, held_out_targets = features[held_out.to(device)].float(), targets[held_out.to(device)]
    draws = TrainingDraws(learnt, voxels, classes, config, groups, random)
    best, best_loss, waited = network.ensemble(), float("inf"), 0
    loss_sum = torch.zeros((), device=device)
    for step in range(config.steps):
        if step % config.check_every == 0:
            drawn = draws.of_steps(min(config.check_every, config.steps - step), device)
        rows, columns = (of_steps[step % config.check_every] for of_steps in drawn)
        loss_sum += network.learn(draws.batches(features, targets, rows, columns))
        optimizer.step()
        schedule.step()
        progress("training", step + 1, config.steps)
        if (step + 1) % config.check_every:
            continue
        ensemble = network.ensemble()
        held_out_loss = _loss(ensemble, held_out_features, held_out_targets) if len(held_out) else None
        agreement = None if held_out_loss is None else math.exp(-held_out_loss)
        curve(step + 1, float(loss_sum) / config.check_every, agreement)
        loss_sum.zero_()
        if held_out_loss is not None:
            if held_out_loss < best_loss:
                best, best_loss, waited = ensemble, held_out_loss, 0
            else:
                waited += 1
            if waited == config.patience:
                break
    return best if len(held_out) else network.ensemble()


def _untrained(voxels: TrainingVoxels, classes: int, config: EnsembleConfig, seed: int) -> MlpEnsemble:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MlpEnsemble(config.members, voxels.features.shape[1], config.hidden, classes)


def _adamw(parameters: Tensor, config: EnsembleConfig) -> torch.optim.AdamW:
    options: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    try:
        # A fifth of the time of an update tensor by tensor.
        return torch.optim.AdamW([parameters], **options, fused=True)
    except RuntimeError:
        # Before torch 2.4 on a GPU alone.
        return torch.optim.AdamW([parameters], **options)


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
