"""The published setting of features, for any denoiser."""

from __future__ import annotations

from dataclasses import replace

from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.benchmark.speed.training import TrainingComparison, compare_training
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.segmenter.segmenter import Segmenter


def with_published_features(ours: OurPath) -> OurPath:
    """Our way with many activations and nothing beside them, as Cho et al. take them (section 3.1).

    Three time steps, and a decoder block of each level: about a thousand features of the bundled denoiser, where theirs
    has 8,448. With its own setting the bundled model has so few of them that the published way is cheap, too.
    """
    features = FeatureConfig(
        blocks=_a_block_of_each_level(ours.denoisers),
        intensity_sigmas_mm=(),
        edge_sigmas_mm=(),
        coordinates="none",
    )
    return replace(ours, bundle=ModelBundle(ours.bundle.folder, replace(ours.bundle.config, features=features)))


def trained_on(scan: SpeedScan, ours: OurPath) -> tuple[Segmenter, TrainingComparison]:
    """A segmenter that has learnt nine slices of a scan from these features, and what both ways to train one cost."""
    features, annotation = ours.features(scan), scan.annotation()
    voxels = ours.gather(features, scan, annotation)
    ensemble, training = compare_training(voxels, len(annotation.classes), ours)
    return ours.segmenter(ensemble, annotation), training


def _a_block_of_each_level(denoisers: Denoisers) -> tuple[int, ...]:
    """The middle one of the decoder blocks of the same resolution, from coarse to fine."""
    blocks: dict[int, list[int]] = {}
    for block, reduction in enumerate(denoisers.unet.block_reductions):
        blocks.setdefault(reduction, []).append(block)
    return tuple(of_level[len(of_level) // 2] for of_level in blocks.values())
