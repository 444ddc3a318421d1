"""Everything that the speed benchmark measures, in one run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from DiffusionSegLib.benchmark.scores import mean_dice
from DiffusionSegLib.benchmark.speed.convolution_rate import ConvolutionLog
from DiffusionSegLib.benchmark.speed.cost import Cost, measured
from DiffusionSegLib.benchmark.speed.machine_rates import MachineRates, Roofline
from DiffusionSegLib.benchmark.speed.operation_count import counted, counted_by_steps
from DiffusionSegLib.benchmark.speed.other_methods import OtherMethod, other_methods
from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.part_that_fits import part_that_fits
from DiffusionSegLib.benchmark.speed.published import train_in_turn
from DiffusionSegLib.benchmark.speed.published_setting import trained_on, with_published_features
from DiffusionSegLib.benchmark.speed.region import RegionComparison, compare_on
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.benchmark.speed.training import TrainingComparison, compare_training
from DiffusionSegLib.features.features_file import features_bytes
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

ENSEMBLE_SIZES = (1, 5, 10)
LABELS = (2, 8, 32)
WARM_UP_EDGE = 16


@dataclass(frozen=True)
class SizeCost:
    """What one cube of the scan, or all of it, costs.

    Args:
        edge: the longest, in voxels.
        voxels: their number.
        features: of its features.
        prediction: of its prediction.
    """

    edge: int
    voxels: int
    features: Cost
    prediction: Cost


@dataclass(frozen=True)
class SpeedComparison:
    """All that was measured.

    Args:
        device: what computed.
        threads: of the CPU.
        shape: of the scan.
        rates: the machine's best.
        stages: our costs on the whole scan: features, gathering, training, prediction.
        kept_bytes: what is kept of the denoiser's work on the whole scan.
        dice: mean over the structures, of our labels after so few steps of training.
        rooflines: our stages against the machine's best rates.
        convolution_seconds: what the convolutions of our features take on their own.
        relative_operations: how many times as many operations the denoiser has as its convolutions.
        training: both ways to train, side by side.
        region: both ways to predict.
        published_setting: the same with as many activations as the paper takes (`with_published_features`).
        published_setting_training: both ways to train, with these.
        others: what else there is.
        sizes: costs of cubes of the scan.
        labels: seconds of our prediction of the region for each number of labels.
        ensembles: seconds of our prediction of the region for each number of members.
    """

    device: str
    threads: int
    shape: tuple[int, ...]
    rates: MachineRates
    stages: dict[str, Cost]
    kept_bytes: int
    dice: float
    rooflines: dict[str, Roofline]
    convolution_seconds: float
    relative_operations: float
    training: TrainingComparison
    region: RegionComparison
    published_setting: RegionComparison
    published_setting_training: TrainingComparison
    others: list[OtherMethod]
    sizes: list[SizeCost]
    labels: dict[int, float]
    ensembles: dict[int, float]

    @property
    def voxels(self) -> int:
        first, second, third = self.shape
        return first * second * third

    @property
    def feature_share(self) -> float:
        """The denoiser's operations a second while features are made, as a share of its convolutions' on their own."""
        return self.relative_operations * self.convolution_seconds / self.stages["features"].seconds

    @property
    def whole_speedup(self) -> float:
        """Of the prediction of the whole scan; the published way, which skips no air, is scaled by voxels."""
        published = self.region.published_prediction_seconds * self.voxels / self.region.voxels
        return published / self.stages["prediction"].seconds

    @property
    def our_bytes(self) -> int | None:
        """Most memory that our prediction of the whole scan holds at a time, with the activations that it needs."""
        peak = self.stages["prediction"].peak_bytes
        return None if peak is None else self.kept_bytes + peak


def compare(scan: SpeedScan, ours: OurPath, edges: tuple[int, ...], *, all_of_it: bool) -> SpeedComparison:
    """Time everything.

    Args:
        scan: what is segmented as a whole.
        ours: our way, with the number of steps that training is timed for.
        edges: of the cubes whose cost is told beside that of the whole scan.
        all_of_it: the published way on the whole scan in any case, not on as much as fits at full feature size.
    """
    device, annotation = ours.device, scan.annotation()
    _warm_up(scan, ours)
    rates = MachineRates.measure(device)
    log = ConvolutionLog()
    stages = {}
    with log:
        features, stages["features"] = measured(lambda: ours.features(scan), device)
    voxels, stages["gathering"] = measured(lambda: ours.gather(features, scan, annotation), device)
    classes = len(annotation.classes)
    ensemble, training = compare_training(voxels, classes, ours)
    stages["training"] = training.ours
    segmenter = ours.segmenter(ensemble, annotation)
    found, stages["prediction"] = measured(lambda: ours.predict(features, segmenter, scan), device)
    region = scan if all_of_it else part_that_fits(scan, ours)
    comparison = compare_on(region, ours, segmenter, rates)
    rooflines = {
        "gathering": Roofline.of(stages["gathering"], counted(lambda: ours.gather(features, scan, annotation)), rates),
        "training": Roofline.of(
            stages["training"],
            counted_by_steps(lambda steps: ours.of_steps(steps).train(voxels, classes), ours.ensemble.steps),
            rates,
        ),
    }
    region_features = ours.features(region)
    theirs = with_published_features(ours)
    their_region = part_that_fits(scan, theirs)
    their_segmenter, their_training = trained_on(their_region, theirs)

    def prediction_seconds(*, members: int | None = None, classes: int | None = None) -> float:
        other = _reshaped(segmenter, members or segmenter.ensemble.members, classes or segmenter.ensemble.classes)
        return measured(lambda: ours.predict(region_features, other, region), device)[1].seconds

    return SpeedComparison(
        device=_name(device),
        threads=torch.get_num_threads(),
        shape=scan.tissue.shape,
        rates=rates,
        stages=stages,
        kept_bytes=features_bytes(features),
        dice=mean_dice(found.labelmap, scan.reference),
        rooflines={**comparison.rooflines, **rooflines},
        convolution_seconds=log.best_seconds(device),
        relative_operations=log.relative_operations,
        training=training,
        region=comparison,
        published_setting=compare_on(their_region, theirs, their_segmenter, rates),
        published_setting_training=their_training,
        others=other_methods(scan, annotation),
        sizes=[
            *(_size_cost(scan.middle(edge), ours, segmenter) for edge in edges),
            SizeCost(max(scan.tissue.shape), scan.tissue.size, stages["features"], stages["prediction"]),
        ],
        labels={count: prediction_seconds(classes=count) for count in LABELS},
        ensembles={count: prediction_seconds(members=count) for count in ENSEMBLE_SIZES},
    )


def _warm_up(scan: SpeedScan, ours: OurPath) -> None:
    """Let libraries load what they load when first used: a second for the optimizer alone."""
    annotation = scan.annotation()
    features = ours.features(scan.middle(WARM_UP_EDGE))
    points = torch.zeros(WARM_UP_EDGE, 3, dtype=torch.long)
    voxels = TrainingVoxels(features.at(points), points[:, 0], points, features.view_channels)
    short = ours.of_steps(2)
    ensemble = short.train(voxels, len(annotation.classes))
    ours.predict(features, ours.segmenter(ensemble, annotation), scan.middle(WARM_UP_EDGE))
    train_in_turn(voxels, len(annotation.classes), short.ensemble, ours.device)


def _size_cost(cube: SpeedScan, ours: OurPath, segmenter: Segmenter) -> SizeCost:
    features, feature_cost = measured(lambda: ours.features(cube), ours.device)
    _, prediction_cost = measured(lambda: ours.predict(features, segmenter, cube), ours.device)
    return SizeCost(max(cube.tissue.shape), cube.tissue.size, feature_cost, prediction_cost)


def _reshaped(segmenter: Segmenter, members: int, classes: int) -> Segmenter:
    """One of so many members and classes; its weights matter to no duration."""
    shape = segmenter.ensemble
    ensemble = MlpEnsemble(members, shape.weights[0].shape[1], shape.hidden, classes).to(shape.weights[0].device)
    header = replace(segmenter.header, values=tuple(range(classes)))
    return Segmenter(header, ensemble.eval().requires_grad_(False))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
