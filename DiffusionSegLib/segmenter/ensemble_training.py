"""Training all members of the ensemble at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from DiffusionSegLib.progress import Curve, Progress, silent, unseen
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble, mean_probabilities
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig

# Neighbouring voxels are nearly copies of each other: what is held out must lie apart from what is learnt.
HELD_OUT_BLOCK = 8
HELD_OUT_VOXELS = 8192
# Who goes on from an ensemble that knows most of it needs fewer steps, and smaller ones so as not to forget.
WARM_STEPS, WARM_RATE = 0.25, 0.3


@dataclass(frozen=True, eq=False)
class TrainingVoxels:
    """Annotated voxels and their features.

    Args:
        features: float32 or float16, shape (N, features).
        classes: class numbers from 0, shape (N,).
        points: voxel indices, shape (N, 3).
        activations: how many of the features, the first ones, come from denoisers.
    """

    features: Tensor
    classes: Tensor
    points: Tensor
    activations: int


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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ensemble = MlpEnsemble(config.members, voxels.features.shape[1], config.hidden, classes).to(device)
    if start is not None:
        ensemble.load_state_dict(start.state_dict())
        steps = max(int(config.steps * WARM_STEPS) // config.check_every, 1) * config.check_every
        config = replace(config, steps=steps, learning_rate=config.learning_rate * WARM_RATE)
    optimizer = torch.optim.AdamW(ensemble.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
    features, targets = voxels.features.to(device), voxels.classes.to(device)
    draw_weights = _draw_weights(voxels.classes[learnt], classes, config.balance)
    best, best_loss, waited = _copied(ensemble), float("inf"), 0
    loss_sum = torch.zeros((), device=device)
    for step in range(config.steps):
        drawn = torch.multinomial(draw_weights, config.members * config.batch, replacement=True, generator=random)
        rows = learnt[drawn].to(device)
        # Half of the time of indexing by brackets.
        batch = features.index_select(0, rows).float().reshape(config.members, config.batch, -1)
        if config.feature_dropout:
            kept = torch.rand(config.members, 1, voxels.activations, generator=random).to(device)
            batch[..., : voxels.activations] *= (kept >= config.feature_dropout) / (1 - config.feature_dropout)
        loss = F.cross_entropy(ensemble(batch).flatten(0, 1), targets[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum += loss.detach()
        progress("training", step + 1, config.steps)
        if (step + 1) % config.check_every:
            continue
        held_out_loss = _loss(ensemble, features, targets, held_out.to(device)) if len(held_out) else None
        agreement = None if held_out_loss is None else math.exp(-held_out_loss)
        curve(step + 1, float(loss_sum) / config.check_every, agreement)
        loss_sum.zero_()
        if held_out_loss is not None:
            if held_out_loss < best_loss:
                best, best_loss, waited = _copied(ensemble), held_out_loss, 0
            else:
                waited += 1
            if waited == config.patience:
                break
    if len(held_out):
        ensemble.load_state_dict(best)
    return ensemble.eval().requires_grad_(False)


def _split(voxels: TrainingVoxels, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rows to learn and rows held out, whole blocks of voxels at a time; no class is ever held out completely."""
    blocks = voxels.points // HELD_OUT_BLOCK
    numbers = (blocks * torch.tensor([1, 1 << 20, 1 << 40])).sum(1).numpy()
    found, inverse = np.unique(numbers, return_inverse=True)
    random = np.random.default_rng(seed)
    out = torch.from_numpy(random.random(len(found)) < share)[torch.from_numpy(inverse)]
    for value in voxels.classes.unique():
        of_class = voxels.classes == value
        # Small structures fill a handful of blocks: holding one out could cost a good part of all there is.
        if (of_class & ~out).sum() < (1 - 2 * share) * of_class.sum():
            out &= ~of_class
    held_out = out.nonzero()[:, 0]
    if len(held_out) > HELD_OUT_VOXELS:
        held_out = held_out[torch.from_numpy(random.permutation(len(held_out))[:HELD_OUT_VOXELS])]
    return (~out).nonzero()[:, 0], held_out


def _draw_weights(targets: Tensor, classes: int, balance: float) -> Tensor:
    counts = torch.bincount(targets, minlength=classes).clamp(min=1).double()
    return (counts ** (balance - 1))[targets]


@torch.inference_mode()
def _loss(ensemble: MlpEnsemble, features: Tensor, targets: Tensor, rows: Tensor) -> float:
    ensemble.eval()
    batch = features[rows].float()[None].expand(ensemble.members, -1, -1)
    likelihood = mean_probabilities(ensemble(batch)).gather(1, targets[rows][:, None])
    ensemble.train()
    return float(-likelihood.clamp(min=1e-9).log().mean())


def _copied(ensemble: MlpEnsemble) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in ensemble.state_dict().items()}
