"""Our way and the published one on the same part of a scan, with the same weights: durations, memory, logits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from DiffusionSegLib.benchmark.speed.agreement import Agreement, agreements
from DiffusionSegLib.benchmark.speed.cost import Cost, measured, measured_in_turn
from DiffusionSegLib.benchmark.speed.machine_rates import MachineRates, Roofline
from DiffusionSegLib.benchmark.speed.operation_count import counted
from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.published import FullFeatures, full_features, full_logits, separate_networks
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.features.features_file import features_bytes
from DiffusionSegLib.precision import inference_precision
from DiffusionSegLib.prediction import Prediction
from DiffusionSegLib.segmenter.ensemble import mean_probabilities
from DiffusionSegLib.segmenter.segmenter import Segmenter

REPEATS = 3


@dataclass(frozen=True)
class RegionComparison:
    """What both ways cost on one region.

    Args:
        shape: of the region, after air around it was cut away.
        features_per_voxel: length of a voxel's features.
        features: our features.
        prediction: our prediction from them.
        full_features: the published features, at full size.
        upsampling_seconds: what followed the denoiser of those.
        full_labels: the published way from there to labels.
        our_bytes, published_bytes: most memory held at a time after the denoiser, with what is kept of its work;
            None if unknown.
        half, single: agreement of our logits with the published ones, our activations kept in either precision.
        rooflines: our two stages against the machine's best rates.
    """

    shape: tuple[int, ...]
    features_per_voxel: int
    features: Cost
    prediction: Cost
    full_features: Cost
    upsampling_seconds: float
    full_labels: Cost
    our_bytes: int | None
    published_bytes: int | None
    half: Agreement
    single: Agreement
    rooflines: dict[str, Roofline]

    @property
    def voxels(self) -> int:
        return int(np.prod(self.shape))

    @property
    def published_prediction_seconds(self) -> float:
        """What follows the denoiser: upsampling, fusion and the networks."""
        return self.upsampling_seconds + self.full_labels.seconds

    @property
    def prediction_speedup(self) -> float:
        return self.published_prediction_seconds / self.prediction.seconds

    @property
    def job_speedup(self) -> float:
        """With the denoiser, which both need."""
        published = self.full_features.seconds + self.full_labels.seconds
        return published / (self.features.seconds + self.prediction.seconds)

    @property
    def memory_ratio(self) -> float | None:
        """Ours to the published."""
        if self.our_bytes is None or not self.published_bytes:
            return None
        return self.our_bytes / self.published_bytes


def compare_on(region: SpeedScan, ours: OurPath, segmenter: Segmenter, rates: MachineRates) -> RegionComparison:
    """Time both ways on all voxels of a region; it must fit into memory at full feature size."""
    features, feature_cost = measured(lambda: ours.features(region), ours.device)
    image = region.image[
        (
            slice(None),
            *(slice(start, start + size) for start, size in zip(features.origin, features.tissue.shape, strict=True)),
        )
    ]
    config = ours.bundle.config
    networks = separate_networks(segmenter.ensemble)
    # Both ways have the same denoiser compute in the same precision.
    precision = inference_precision(ours.device, torch.float16)
    found: list[FullFeatures] = []
    upsampling: list[float] = []

    def build_features() -> None:
        found[:] = [full_features(ours.denoisers, config.schedule, config.features, image, precision)]
        upsampling.append(found[0].upsampling_seconds)

    def full_labels() -> torch.Tensor:
        parts = full_logits(found[0], features, networks)
        return torch.cat([mean_probabilities(logits).argmax(1) for logits in parts])

    def predict() -> Prediction:
        return ours.predict(features, segmenter, region)

    _, (prediction_cost, full_cost, label_cost) = measured_in_turn(
        (predict, build_features, full_labels), ours.device, REPEATS
    )
    if precision != torch.float32:
        # Logits are held against those without any rounding.
        found[:] = [full_features(ours.denoisers, config.schedule, config.features, image)]
    (full,) = found
    rooflines = {
        "features": Roofline.of(feature_cost, counted(lambda: ours.features(region)), rates),
        "prediction": Roofline.of(prediction_cost, counted(predict), rates),
    }
    # Statistics of the half-precision features in both, so that rounding of the activations alone makes the difference.
    single = replace(ours.features(region, torch.float32), mean=features.mean, spread=features.spread)
    of_half, of_single = agreements(full, (features, single), segmenter.ensemble, networks)
    return RegionComparison(
        shape=features.tissue.shape,
        features_per_voxel=len(features.mean),
        features=feature_cost,
        prediction=prediction_cost,
        full_features=full_cost,
        upsampling_seconds=min(upsampling),
        full_labels=label_cost,
        our_bytes=_with(prediction_cost, features_bytes(features)),
        published_bytes=_with(label_cost, full.fused.numel() * full.fused.element_size()),
        half=of_half,
        single=of_single,
        rooflines=rooflines,
    )


def _with(cost: Cost, kept: int) -> int | None:
    return None if cost.peak_bytes is None else kept + cost.peak_bytes
