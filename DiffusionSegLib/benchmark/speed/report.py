"""The speed benchmark's tables and its JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from DiffusionSegLib.benchmark.speed.comparison import SpeedComparison


def as_json(found: SpeedComparison) -> dict[str, Any]:
    """One object: the ratios first, then all that they were made from."""
    region = found.region
    return {
        "prediction_speedup_vs_published": region.prediction_speedup,
        "prediction_speedup_vs_published_whole": found.whole_speedup,
        "prediction_memory_ratio_vs_published": region.memory_ratio,
        "prediction_speedup_with_published_features": found.published_setting.prediction_speedup,
        "prediction_memory_ratio_with_published_features": found.published_setting.memory_ratio,
        "max_logit_difference_with_published_features": found.published_setting.single.logit_difference,
        "job_speedup_vs_published": region.job_speedup,
        "training_speedup_vs_sequential": found.training.speedup,
        "training_speedup_with_published_features": found.published_setting_training.speedup,
        "feature_share_of_conv_rate": found.feature_share,
        "max_logit_difference": region.single.logit_difference,
        "max_logit_difference_half": region.half.logit_difference,
        "equal_labels": region.single.equal_labels,
        "equal_labels_half": region.half.equal_labels,
        "device": found.device,
        "measured": asdict(found),
    }


def as_text(found: SpeedComparison) -> str:
    return "\n".join(_lines(found))


def _lines(found: SpeedComparison) -> Iterator[str]:
    region = found.region
    yield f"Device {found.device}, {found.threads} threads; scan {_by(found.shape)}, region {_by(region.shape)} voxels."
    yield (
        f"At best {found.rates.operations / 1e9:.0f} GFLOP/s (float32 products) and "
        f"{found.rates.bytes / 1e9:.1f} GB/s (copy)."
    )
    yield ""
    yield "| ours, whole scan | s | peak MB | floor by operations, s | by bytes, s | share of the roof |"
    yield "|---|---|---|---|---|---|"
    for stage, cost in found.stages.items():
        roof = found.rooflines[stage]
        # Floors of features and prediction are those of the region, whose durations they are held against.
        part = found.stages[stage].seconds / roof.seconds
        yield (
            f"| {stage} | {cost.seconds:.2f} | {_megabytes(cost.peak_bytes)} | {part * roof.by_operations:.2f} | "
            f"{part * roof.by_bytes:.2f} | {100 * roof.share:.0f} % |"
        )
    yield ""
    yield "| same region, same weights | ours, s | published, s | times faster |"
    yield "|---|---|---|---|"
    prediction = region.published_prediction_seconds
    yield _versus("prediction (after the denoiser)", region.prediction.seconds, prediction)
    job = region.full_features.seconds + region.full_labels.seconds
    yield _versus("denoiser and prediction", region.features.seconds + region.prediction.seconds, job)
    sequential = f"{found.training.steps} steps of training, one network after the other"
    yield _versus(sequential, found.training.ours.seconds, found.training.in_turn.seconds)
    yield _versus(
        "prediction of the whole scan (published: scaled by voxels)",
        found.stages["prediction"].seconds,
        prediction * found.voxels / region.voxels,
    )
    many = found.published_setting
    features = f"three time steps, a block of each level: {many.features_per_voxel} features"
    yield _versus(
        f"prediction of {_by(many.shape)} voxels, {features} instead of {region.features_per_voxel}",
        many.prediction.seconds,
        many.published_prediction_seconds,
    )
    training = found.published_setting_training
    yield _versus(f"{sequential}, with these features", training.ours.seconds, training.in_turn.seconds)
    yield ""
    yield (
        f"Memory after the denoiser: {_megabytes(region.our_bytes)} of {_megabytes(region.published_bytes)} MB for the "
        f"region; {_megabytes(many.our_bytes)} of {_megabytes(many.published_bytes)} MB for {_by(many.shape)} voxels "
        f"with {many.features_per_voxel} features."
    )
    yield (
        f"The denoiser's convolutions alone take {found.convolution_seconds:.2f} s; with its attention it has "
        f"{found.relative_operations:.2f} times their operations. Features are made at "
        f"{100 * found.feature_share:.0f} % of their rate."
    )
    for precision, agreement in (("single", region.single), ("half", region.half)):
        yield (
            f"Activations kept in {precision} precision: logits differ by at most {agreement.logit_difference:.1e} "
            f"(the largest is {agreement.largest_logit:.1f}), labels equal on {100 * agreement.equal_labels:.3f} %."
        )
    yield ""
    yield "| whole scan, nine slices | s | peak MB | mean Dice |"
    yield "|---|---|---|---|"
    total = sum(cost.seconds for cost in found.stages.values())
    ours = f"ours, {found.training.steps} steps"
    yield f"| {ours} | {total:.2f} | {_megabytes(found.our_bytes)} | {100 * found.dice:.1f} |"
    for other in found.others:
        if other.cost is None or other.dice is None:
            yield f"| {other.name} | not run: {other.absent} | | |"
        else:
            memory = _megabytes(other.cost.peak_bytes)
            yield f"| {other.name} | {other.cost.seconds:.2f} | {memory} | {100 * other.dice:.1f} |"
    yield ""
    yield "| cube of the scan | features, s | prediction, s | prediction, peak MB |"
    yield "|---|---|---|---|"
    for size in found.sizes:
        memory = _megabytes(size.prediction.peak_bytes)
        yield f"| {size.edge} | {size.features.seconds:.2f} | {size.prediction.seconds:.2f} | {memory} |"
    yield ""
    for what, durations in (("labels", found.labels), ("members", found.ensembles)):
        yield f"| {what} | prediction of the region, s |"
        yield "|---|---|"
        for count, seconds in durations.items():
            yield f"| {count} | {seconds:.2f} |"
        yield ""


def _versus(name: str, ours: float, published: float) -> str:
    return f"| {name} | {ours:.3f} | {published:.3f} | {published / ours:.1f} |"


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _megabytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:.0f}"
