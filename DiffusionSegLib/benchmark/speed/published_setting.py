"""The published setting of features, for any denoiser."""

from __future__ import annotations

from dataclasses import replace

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
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


def untrained_segmenter(ours: OurPath, features: int, annotation: Annotation) -> Segmenter:
    """A segmenter of so many features that has learnt nothing, which matters neither to durations nor to agreement."""
    ensemble = MlpEnsemble(ours.ensemble.members, features, ours.ensemble.hidden, len(annotation.classes))
    return ours.segmenter(ensemble.to(ours.device).eval().requires_grad_(False), annotation)


def _a_block_of_each_level(denoisers: Denoisers) -> tuple[int, ...]:
    """The middle one of the decoder blocks of the same resolution, from coarse to fine."""
    blocks: dict[int, list[int]] = {}
    for block, reduction in enumerate(denoisers.unet.block_reductions):
        blocks.setdefault(reduction, []).append(block)
    return tuple(of_level[len(of_level) // 2] for of_level in blocks.values())
