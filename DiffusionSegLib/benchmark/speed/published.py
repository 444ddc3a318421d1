"""The published pipeline, written plainly (Baranchuk et al. 2022; Cho et al. 2024): what ours is held against."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from DiffusionSegLib.benchmark.speed.cost import wait_for
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.slice_source import VIEW_AXES
from DiffusionSegLib.features.extraction import shared_noise
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.local_features import local_features
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.normalisation import AIR
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

SLICES = 8
VOXELS = 16_384


@dataclass(frozen=True, eq=False)
class FullFeatures:
    """The features of every voxel.

    Args:
        fused: float32 of shape (features, I, J, K).
        upsampling_seconds: what upsampling and fusion took.
    """

    fused: Tensor
    upsampling_seconds: float


@torch.inference_mode()
def full_features(
    denoisers: Denoisers,
    schedule: NoiseSchedule,
    config: FeatureConfig,
    volume: np.ndarray,
    precision: torch.dtype = torch.float32,
) -> FullFeatures:
    """Hooks on the decoder's blocks, their outputs upsampled to full size and put side by side, the views fused.

    Args:
        denoisers: the denoiser(s), on the device that computes.
        schedule: the forward process they were trained with.
        config: which features to take.
        volume: normalised voxels (channels, I, J, K).
        precision: what the denoiser computes in.
    """
    denoisers = denoisers if precision == torch.float32 else deepcopy(denoisers).to(precision)
    device = next(denoisers.parameters()).device
    data = torch.from_numpy(np.ascontiguousarray(volume, dtype=np.float32))
    fused: list[Tensor] = []
    denoiser_seconds, started = 0.0, time.perf_counter()
    for view in config.views:
        axis = VIEW_AXES[view]
        parts = []
        for slices in data.movedim(axis + 1, 0).split(SLICES):
            part, seconds = _upsampled_slices(denoisers, schedule, config, slices.to(device), axis)
            parts.append(part)
            denoiser_seconds += seconds
        found = torch.cat(parts).movedim(0, 1).movedim(1, axis + 1)
        del parts
        if config.fusion == "concat" or not fused:
            fused.append(found)
        elif config.fusion == "sum":
            fused[0] += found
        else:
            torch.maximum(fused[0], found, out=fused[0])
    joined = fused[0] if len(fused) == 1 else torch.cat(fused)
    wait_for(device)
    return FullFeatures(joined, time.perf_counter() - started - denoiser_seconds)


def _upsampled_slices(
    denoisers: Denoisers, schedule: NoiseSchedule, config: FeatureConfig, slices: Tensor, view: int
) -> tuple[Tensor, float]:
    """Features (N, features, height, width) of slices (N, channels, height, width), and the denoiser's seconds."""
    unet = denoisers.unet if denoisers.shared else denoisers.models[view]
    height, width = slices.shape[2:]
    multiple = denoisers.unet.config.reduction
    padded = F.pad(slices, (0, -width % multiple, 0, -height % multiple), value=AIR)
    noise = shared_noise(padded.shape[1], padded.shape[2:], config.noise_seed).to(slices.device) * config.noise_scale
    outputs: dict[int, Tensor] = {}
    hooks = [
        unet.get_submodule(f"output_blocks.{block}").register_forward_hook(
            lambda _module, _inputs, output, block=block: outputs.__setitem__(block, output)
        )
        for block in sorted(config.blocks)
    ]
    levels: dict[int, list[Tensor]] = {}
    seconds = 0.0
    for time_step in config.time_steps:
        steps = torch.full((len(padded),), time_step, device=slices.device)
        views = torch.full((len(padded),), view, device=slices.device)
        noised = schedule.noised(padded, steps, noise).to(next(unet.parameters()).dtype)
        wait_for(slices.device)
        started = time.perf_counter()
        denoisers(noised, steps, views)
        wait_for(slices.device)
        seconds += time.perf_counter() - started
        for block in sorted(outputs):
            full = F.interpolate(outputs[block].float(), size=padded.shape[2:], mode="bilinear", align_corners=False)
            levels.setdefault(denoisers.unet.block_reductions[block], []).append(full[:, :, :height, :width])
    for hook in hooks:
        hook.remove()
    return torch.cat([part for parts in levels.values() for part in parts], dim=1), seconds


def separate_networks(ensemble: MlpEnsemble) -> list[nn.Sequential]:
    """The ensemble's members as networks of their own."""
    found = []
    for member in range(ensemble.members):
        widths = [ensemble.weights[0].shape[1], *ensemble.hidden, ensemble.classes]
        network = _network(widths).to(ensemble.weights[0].device)
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        for layer, weight, bias in zip(linear, ensemble.weights, ensemble.biases, strict=True):
            layer.weight.data, layer.bias.data = weight[member].T.contiguous(), bias[member, 0].clone()
        norms = [layer for layer in network if isinstance(layer, nn.BatchNorm1d)]
        for number, (norm, gain, shift) in enumerate(zip(norms, ensemble.gains, ensemble.shifts, strict=True)):
            norm.weight.data, norm.bias.data = gain[member, 0].clone(), shift[member, 0].clone()
            norm.running_mean = ensemble.get_buffer(f"mean_{number}")[member, 0].clone()
            norm.running_var = ensemble.get_buffer(f"variance_{number}")[member, 0].clone()
        found.append(network.eval())
    return found


def _network(widths: Sequence[int]) -> nn.Sequential:
    first, second, third, classes = widths
    return nn.Sequential(
        nn.Linear(first, second),
        nn.ReLU(),
        nn.BatchNorm1d(second),
        nn.Linear(second, third),
        nn.ReLU(),
        nn.BatchNorm1d(third),
        nn.Linear(third, classes),
    )


@torch.inference_mode()
def full_logits(
    full: FullFeatures, features: OrthogonalFeatures, networks: Sequence[nn.Sequential], at_a_time: int = VOXELS
) -> Iterator[Tensor]:
    """Logits (members, N, classes) of all voxels in order, so many at a time, network after network.

    Args:
        full: the features of every voxel from the denoiser.
        features: what is beside them, and how both are standardised.
        networks: the members.
        at_a_time: voxels.
    """
    fused, local = full.fused.flatten(1), features.local.flatten(1)
    mean, spread = features.mean.to(fused.device), features.spread.to(fused.device)
    for start in range(0, fused.shape[1], at_a_time):
        beside = local_features(local[:, start : start + at_a_time].to(fused.device), features.config)
        rows = (torch.cat([fused[:, start : start + at_a_time].T, beside], dim=1) - mean) / spread
        yield torch.stack([network(rows) for network in networks])


def train_in_turn(
    voxels: TrainingVoxels, classes: int, config: EnsembleConfig, device: torch.device
) -> list[nn.Sequential]:
    """Ten networks (or how many the configuration says) trained one after the other, all steps of each."""
    features, targets = voxels.features.float().to(device), voxels.classes.to(device)
    found = []
    for _ in range(config.members):
        network = _network([features.shape[1], *config.hidden, classes]).to(device)
        optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        for _ in range(config.steps):
            rows = torch.randint(len(targets), (config.batch,), device=device)
            loss = F.cross_entropy(network(features[rows]), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        found.append(network.eval())
    return found
