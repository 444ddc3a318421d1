"""The one object that the command line, notebooks and the Slicer module's worker drive."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from DiffusionSegLib.annotated_result import as_annotated, as_far_as_known
from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, ModelBundle, find_bundle
from DiffusionSegLib.devices import choose_device
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.kept_views import KeptViews
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.labels import Label
from DiffusionSegLib.mirror_labels import mirrored_values
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation, foreground_mask
from DiffusionSegLib.placement import Placement
from DiffusionSegLib.postprocessing import keep_largest_components
from DiffusionSegLib.prediction import Prediction, SlicePrediction, predict, preview
from DiffusionSegLib.progress import Curve, Progress, silent, unseen
from DiffusionSegLib.scan_doubts import (
    doubts_of_intensities,
    doubts_of_likeness,
    doubts_of_orientation,
    doubts_of_part,
)
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import train_ensemble
from DiffusionSegLib.segmenter.lesson import Lesson, together
from DiffusionSegLib.segmenter.mirrored_voxels import with_mirror_image
from DiffusionSegLib.segmenter.segmenter import Segmenter, SegmenterHeader
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels
from DiffusionSegLib.segmenter.training_voxels import gather_training_voxels
from DiffusionSegLib.segmenter.within_part import learnt_within_part
from DiffusionSegLib.smoothing import Smoothing
from DiffusionSegLib.stage_report import StageReport
from DiffusionSegLib.suggestion import SliceSuggestion, suggest_slices
from DiffusionSegLib.volume import Volume

# What the filters of the local features need along each axis of the model's grid.
THINNEST_VOXELS = 4


@dataclass(frozen=True)
class SessionOptions:
    """What a session works with.

    Args:
        bundle: the denoisers: a bundle, its name or its folder.
        device: "auto", "cpu" or "cuda".
        seed: seeds everything that is drawn at random.
        features: which features to take; None for the bundle's own choice.
        ensemble: shape and training of the segmenter.
        keep_largest: label values of which only the largest connected component is kept.
        combine: whether the mean of the members' probabilities decides, or the most probable class of each as a vote.
        smoothed: whether probabilities are mixed with those of neighbours that are as bright.
        annotated_neighbours: whether annotated voxels tell of those beside and between them, where that is smoothed.
    """

    bundle: ModelBundle | str = DEFAULT_BUNDLE
    device: str = "auto"
    seed: int = 0
    features: FeatureConfig | None = None
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    keep_largest: tuple[int, ...] = ()
    combine: Literal["mean", "vote"] = "mean"
    smoothed: bool = True
    annotated_neighbours: bool = True


class Session:
    """Open a scan, annotate it, train, predict, ask for the next slice; features are computed once a scan.

    Args:
        options: what to work with.
        progress: told how far long work is; raising from it stops the work and leaves the session usable.
        curve: told of the losses while the segmenter learns.
    """

    def __init__(
        self, options: SessionOptions | None = None, *, progress: Progress = silent, curve: Curve = unseen
    ) -> None:
        self.options, self.progress, self.curve = options or SessionOptions(), progress, curve
        self.device = choose_device(self.options.device)
        bundle = self.options.bundle
        self.bundle = bundle if isinstance(bundle, ModelBundle) else find_bundle(bundle)
        self.denoisers = self.bundle.denoisers().to(self.device)
        self.report = StageReport(device=str(self.device))
        # Where views of the open scan are found, and kept as soon as they are computed.
        self.kept_views: KeptViews | None = None
        self._volume: Volume | None = None
        self._annotation: Annotation | None = None
        self._segmenter: Segmenter | None = None
        self._features: OrthogonalFeatures | None = None
        self._features_config: FeatureConfig | None = None
        self._gathered: TrainingVoxels | None = None
        self._doubts_when_opened: list[str] = []
        self._doubts_when_aligned: list[str] = []

    def open(self, volume: Volume) -> None:
        """Take up a scan; annotation and features of the last one are dropped, its segmenter is kept.

        Raises:
            DiffusionSegError: if the scan is no volume that the bundle can work with.
        """
        wanted = self.bundle.config.unet.channels_in
        if len(volume.data) < wanted:
            message = f"The bundle {self.bundle.name} works on {wanted} channels, the scan has {len(volume.data)}."
            raise DiffusionSegError(message, "Give all of its channels, in the bundle's order.")
        spacing = self.bundle.config.spacing_mm
        if min(ModelGrid.for_grid(volume.grid, spacing).grid.shape) < THINNEST_VOXELS:
            message = f"The scan is less than {THINNEST_VOXELS * spacing:g} mm thick."
            raise DiffusionSegError(message, "Give a volume, not a single slice or picture.")
        self._volume = volume.validate()
        self._annotation = self._features = self._gathered = self.kept_views = None
        self._doubts_when_opened = doubts_of_intensities(volume.data, self.bundle.config.modality)
        self._doubts_when_aligned = []
        _warn_of(self._doubts_when_opened)

    @property
    def doubts(self) -> list[str]:
        """Why structures of the open scan may be missed, one sentence each, as far as it has been looked at."""
        return [*self._doubts_when_opened, *self._doubts_when_aligned]

    def annotate(self, annotation: Annotation | None) -> None:
        """Take over which voxels of the open scan are known; None if none are."""
        if annotation is not None:
            annotation.check_on(self._opened().grid)
        self._annotation = annotation

    def extract(self) -> OrthogonalFeatures:
        """The features of the open scan that the next training takes."""
        return self._extracted(self._chosen_features())

    @property
    def features(self) -> OrthogonalFeatures | None:
        """The features of the open scan, if they are extracted."""
        return self._features

    def take_features(self, features: OrthogonalFeatures) -> None:
        """Use features that were extracted from the open scan earlier."""
        self._hold(features)
        self._tell_of_alignment(features.likeness, features.flipped, features.part is not None)

    def lesson(self) -> Lesson:
        """What is annotated of the open scan, with its features: to be learnt, also together with that of other scans.

        Features that were gathered before are not gathered again.
        """
        annotation = self._annotated()
        config = self._chosen_features()
        features = self._extracted(config)
        with self.report.stage("gathering"):
            self._gathered = voxels = gather_training_voxels(
                features,
                annotation,
                self._model_grid(),
                self.options.ensemble,
                self.options.seed,
                self.progress,
                known=self._gathered,
            )
        within_part = learnt_within_part(features, voxels, annotation.classes)
        return Lesson(voxels, annotation.classes, annotation.labels, config, self.bundle.digest, within_part)

    def train(
        self, *, start: Segmenter | None = None, learnt_as: Sequence[Label] = (), beside: Sequence[Lesson] = ()
    ) -> Segmenter:
        """A segmenter that has learnt the annotation; it is kept for `predict` and `suggest`.

        Args:
            start: a segmenter to go on from; without effect where its features, classes or shape are others.
            learnt_as: the structures by the names by which it learnt them, if any was renamed since.
            beside: what other scans teach, which is learnt, too.
        """
        if not beside:
            # Before features are computed for nothing.
            self._annotated().check_learnable()
        own = self.lesson()
        lesson = together([own, *beside])
        lesson.check_learnable()
        self.report.voxels_trained = len(lesson.voxels.classes)
        header = SegmenterHeader.of(
            self.bundle,
            len(self._opened().data),
            lesson.features,
            self.options.ensemble,
            lesson.values,
            lesson.labels,
            self.options.keep_largest,
            self.options.combine,
            lesson.within_part,
        )
        # Values that only other scans gave a meaning may mean something else here.
        of_own = {label.value for label in own.labels}
        before = header.called_as([label for label in learnt_as if label.value in of_own])
        with self.report.stage("training"):
            ensemble = train_ensemble(
                self._with_mirror_image(lesson),
                len(lesson.values),
                self.options.ensemble,
                self.options.seed,
                self.device,
                self.progress,
                start.ensemble if start is not None and before.goes_on_from(start.header) else None,
                self.curve,
            )
        self._segmenter = Segmenter(header, ensemble)
        return self._segmenter

    def predict(self, segmenter: Segmenter | None = None) -> Prediction:
        """The open scan segmented, by the segmenter just trained or by another one of the same bundle.

        What is annotated stays as it is annotated, as far as the segmenter knows its labels.
        """
        segmenter = self._chosen(segmenter)
        features = self._searched_by(segmenter)
        annotation = as_far_as_known(self._annotation, segmenter)
        with self.report.stage("prediction"):
            region = annotation.unknown_region if annotation else None
            found = predict(
                features,
                segmenter.to(self.device),
                self._model_grid(),
                self.progress,
                region,
                self._smoothing(features, segmenter, annotation),
            )
            return self._cleaned(as_annotated(found, annotation), segmenter.header.keep_largest, annotation)

    def preview(self, slices: Sequence[tuple[int, int]], segmenter: Segmenter | None = None) -> list[SlicePrediction]:
        """Slices (axis, index) of the open scan, as `predict` finds them before any clean-up, without the rest.

        Raises:
            DiffusionSegError: if a slice lies outside the scan.
        """
        segmenter = self._chosen(segmenter)
        shape = self._opened().grid.shape
        for axis, index in slices:
            if not (0 <= axis < 3 and 0 <= index < shape[axis]):
                raise DiffusionSegError(f"The slice {axis}, {index} lies outside the scan.", "Choose one within it.")
        features = self._searched_by(segmenter)
        annotation = as_far_as_known(self._annotation, segmenter)
        with self.report.stage("preview"):
            region = annotation.unknown_region if annotation else None
            found = preview(
                features,
                segmenter.to(self.device),
                self._model_grid(),
                slices,
                self.progress,
                region,
                self._smoothing(features, segmenter, annotation),
            )
        return [
            as_annotated(one, annotation, (slice(None),) * axis + (index,))
            for (axis, index), one in zip(slices, found, strict=True)
        ]

    def _cleaned(self, found: Prediction, keep_largest: tuple[int, ...], annotation: Annotation | None) -> Prediction:
        """Of these labels the largest pieces alone; what is taken from one keeps the confidence that it had.

        What is annotated holds pieces together, and is not cleaned up itself.
        """
        if not keep_largest:
            return found
        labelmap = found.labelmap
        for number, value in enumerate(keep_largest):
            self.progress("clean-up", number, len(keep_largest))
            labelmap = keep_largest_components(labelmap, (value,))
        return replace(found, labelmap=labelmap if annotation is None else annotation.over(labelmap))

    def suggest(self, segmenter: Segmenter | None = None, *, count: int = 6) -> list[SliceSuggestion]:
        """The slices of the open scan that are worth painting next, best first."""
        painted = self._annotation.complete_slices if self._annotation else ((), (), ())
        prediction = self.predict(segmenter)
        return suggest_slices(prediction.uncertainty, prediction.grid, count=count, painted=painted)

    def _opened(self) -> Volume:
        if self._volume is None:
            raise DiffusionSegError("No scan is open.", "Open a volume first.")
        return self._volume

    def _annotated(self) -> Annotation:
        if self._annotation is None:
            raise DiffusionSegError("Nothing is annotated yet.", "Paint some slices first.")
        return self._annotation

    def _chosen(self, segmenter: Segmenter | None) -> Segmenter:
        segmenter = segmenter or self._segmenter
        if segmenter is None:
            raise DiffusionSegError("There is no segmenter yet.", "Train one first.")
        segmenter.check_bundle(self.bundle)
        segmenter.check_channels(len(self._opened().data))
        return segmenter

    def _searched_by(self, segmenter: Segmenter) -> OrthogonalFeatures:
        """The features of the open scan where a segmenter looks for its structures."""
        features = self._extracted(segmenter.header.features)
        return features.within_part() if segmenter.header.within_part else features

    def _smoothing(
        self, features: OrthogonalFeatures, segmenter: Segmenter, annotation: Annotation | None
    ) -> Smoothing | None:
        if not self.options.smoothed:
            return None
        told = annotation if self.options.annotated_neighbours else None
        return Smoothing(features, self._model_grid(), segmenter.header.values, told)

    def _chosen_features(self) -> FeatureConfig:
        chosen = self.options.features or self.bundle.config.features
        return replace(chosen, noise_seed=self.options.seed)

    def _model_grid(self) -> ModelGrid:
        return ModelGrid.for_grid(self._opened().grid, self.bundle.config.spacing_mm)

    def _with_mirror_image(self, lesson: Lesson) -> TrainingVoxels:
        """The voxels and, where it is known what they are in the mirror, their mirror images."""
        voxels, config = lesson.voxels, lesson.features
        if not self.options.ensemble.mirrored or config.coordinates != "template" or not self.bundle.template.symmetric:
            return voxels
        partners = mirrored_values(lesson.labels)
        return voxels if partners is None else with_mirror_image(voxels, lesson.values, partners, config)

    def _tell_of_alignment(self, likeness: float | None, flipped: tuple[int, ...], in_part: bool) -> None:
        """Tell what is doubtful of how the open scan is aligned to the template."""
        of_likeness = doubts_of_likeness(likeness, self.bundle.name)
        self._doubts_when_aligned = [*doubts_of_orientation(flipped), *of_likeness, *doubts_of_part(in_part)]
        _warn_of(self._doubts_when_aligned)

    def _hold(self, features: OrthogonalFeatures) -> None:
        self._features, self._features_config, self._gathered = features, features.config, None

    def _extracted(self, config: FeatureConfig) -> OrthogonalFeatures:
        features = self._features
        if features is None or self._features_config != config:
            with self.report.stage("preparation"):
                volume = self._opened()
                spacing = self.bundle.config.spacing_mm
                self.progress("preparation", 0, 4)
                raw = self._model_grid().to_model(volume.data)
                self.progress("preparation", 1, 4)
                seen = self.bundle.config.unet.channels_in
                normalised = Normalisation().apply(raw, self.bundle.config.modality, seen)
                self.progress("preparation", 2, 4)
                # What is around the body in images of any kind nobody knows.
                tissue = foreground_mask(normalised[:seen])
                if not tissue.any():
                    raise DiffusionSegError("The scan shows nothing but air.", "Check the file and its intensities.")
                self.progress("preparation", 3, 4)
                placement = None
                if config.coordinates == "template":
                    placement = Placement.find(
                        normalised[0], spacing, self.bundle.template, device=self.device, progress=self.progress
                    )
            # Before the denoiser takes its minutes.
            likeness, flipped = (placement.likeness, placement.flipped) if placement else (None, ())
            self._tell_of_alignment(likeness, flipped, placement is not None and placement.part is not None)
            with self.report.stage("features"):
                extractor = ActivationExtractor(self.denoisers, self.bundle.config.schedule, config)
                features = OrthogonalFeatures.extract(
                    normalised, tissue, extractor, spacing, self.progress, placement, self.kept_views
                )
            self._hold(features)
        return features


def _warn_of(doubts: list[str]) -> None:
    for doubt in doubts:
        warnings.warn(doubt, DiffusionSegWarning, stacklevel=3)
