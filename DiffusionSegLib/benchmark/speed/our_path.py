"""Our own way, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.features.projection import FirstLayerProjection
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.placement import Placement
from DiffusionSegLib.prediction import Prediction, predict
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble, after_first_layer
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import train_ensemble
from DiffusionSegLib.segmenter.segmenter import Segmenter, SegmenterHeader
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels
from DiffusionSegLib.segmenter.training_voxels import gather_training_voxels


@dataclass(frozen=True, eq=False)
class OurPath:
    """Our way from a scan to its labels.

    Args:
        bundle: the denoisers' bundle.
        denoisers: the denoisers, on the device that computes.
        ensemble: shape and training of the ensemble.
        seed: seeds all that is drawn at random.
    """

    bundle: ModelBundle
    denoisers: Denoisers
    ensemble: EnsembleConfig
    seed: int = 0

    @property
    def device(self) -> torch.device:
        return next(self.denoisers.parameters()).device

    def of_steps(self, steps: int) -> OurPath:
        """The same with so many steps of training."""
        return replace(self, ensemble=replace(self.ensemble, steps=steps))

    def features(self, scan: SpeedScan, kept_as: torch.dtype = torch.float16) -> OrthogonalFeatures:
        """The scan's features, their activations kept in a precision."""
        config = self.bundle.config
        extractor = ActivationExtractor(self.denoisers, config.schedule, config.features, kept_as=kept_as)
        placement = Placement(scan.positions)
        return OrthogonalFeatures.extract(scan.image, scan.tissue, extractor, scan.spacing_mm, placement=placement)

    def gather(self, features: OrthogonalFeatures, scan: SpeedScan, annotation: Annotation) -> TrainingVoxels:
        grid = ModelGrid.for_grid(scan.grid, scan.spacing_mm)
        return gather_training_voxels(features, annotation, grid, self.ensemble, self.seed)

    def train(self, voxels: TrainingVoxels, classes: int) -> MlpEnsemble:
        """An ensemble trained for all steps of the configuration, without stopping early."""
        config = replace(self.ensemble, held_out=0.0)
        return train_ensemble(voxels, classes, config, self.seed, self.device)

    def segmenter(self, ensemble: MlpEnsemble, annotation: Annotation) -> Segmenter:
        config, values = self.bundle.config, annotation.classes
        header = SegmenterHeader.of(
            self.bundle, config.unet.channels_in, config.features, self.ensemble, values, annotation.labels
        )
        return Segmenter(header, ensemble)

    def predict(self, features: OrthogonalFeatures, segmenter: Segmenter, scan: SpeedScan) -> Prediction:
        """What the published way finds, too: without the smoothing that a session adds."""
        return predict(features, segmenter, ModelGrid.for_grid(scan.grid, scan.spacing_mm))


@torch.inference_mode()
def fast_logits(features: OrthogonalFeatures, ensemble: MlpEnsemble) -> Iterator[torch.Tensor]:
    """Logits (members, N, classes) of all voxels of the crop, one slab across its first axis after the other.

    They are computed as `predict` computes them.
    """
    projection = FirstLayerProjection(features, *ensemble.first_layer())
    layers = ensemble.folded_layers()
    for start in range(features.tissue.shape[0]):
        _, height, width = features.tissue.shape
        hidden = projection.hidden(((start, start + 1), (0, height), (0, width)))
        members = hidden.reshape(height * width, ensemble.members, -1).unbind(1)
        logits = [
            after_first_layer(member.contiguous(), of_member).T
            for member, of_member in zip(members, layers, strict=True)
        ]
        yield torch.stack(logits)
