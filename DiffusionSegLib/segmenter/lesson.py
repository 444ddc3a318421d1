"""What annotated scans teach: their voxels, and which structures these are of."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.common_structures import CommonStructures
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels
from DiffusionSegLib.structure_names import plain

# More than any scan is long, in voxels: what is held out of one scan says nothing of what is of another.
APART = 1 << 16
# As 3D Slicer calls segments that nobody has given a name, in the order in which they are added.
NOT_NAMED = re.compile(r"segment[_ ]\d+")


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one annotated scan teaches, or several.

    Args:
        voxels: what is annotated, with its features.
        values: label value of each class number; 0 is the background.
        labels: names and colours of the structures.
        features: what the features are.
        bundle_digest: of the bundle that they come from.
        within_part: whether all structures lie in that part of a scan which the bundle's template shows.
    """

    voxels: TrainingVoxels
    values: tuple[int, ...]
    labels: tuple[Label, ...]
    features: FeatureConfig
    bundle_digest: str
    within_part: bool

    def check_learnable(self) -> None:
        """Raise a DiffusionSegError unless there are two classes to tell apart."""
        if len(self.voxels.classes.unique()) < 2:
            message = "The annotated voxels within the tissue are all of one class."
            raise DiffusionSegError(message, "Paint a second structure, or mark background.")


def together(lessons: Sequence[Lesson]) -> Lesson:
    """All that the scans teach, in the first one's values, or in new ones for structures that it does not have.

    Raises:
        DiffusionSegError: if the scans' features are of different kinds.
    """
    first = lessons[0]
    if any((one.features, one.bundle_digest) != (first.features, first.bundle_digest) for one in lessons):
        message = "What was annotated in the other scans was read with another model bundle, or other settings."
        raise DiffusionSegError(message, "Read all of them with the same.")
    if len({one.voxels.features.shape[1] for one in lessons}) > 1:
        message = "The annotated scans do not all have the same number of channels."
        raise DiffusionSegError(message, "Give the same channels of each, in the same order.")
    if len(lessons) == 1:
        return first
    structures = CommonStructures()
    common = [{0: 0} | structures.take_in(one.labels) for one in lessons]
    renumbered = [tuple(of_scan[value] for value in one.values) for one, of_scan in zip(lessons, common, strict=True)]
    labels = structures.labels
    values = tuple(sorted({value for of_lesson in renumbered for value in of_lesson}))
    _warn_of_structures_elsewhere(labels, renumbered)
    _warn_of_names_that_tell_nothing(labels, renumbered)
    classes = [
        torch.tensor([values.index(value) for value in of_lesson])[one.voxels.classes]
        for one, of_lesson in zip(lessons, renumbered, strict=True)
    ]
    voxels = TrainingVoxels(
        torch.cat([one.voxels.features for one in lessons]),
        torch.cat(classes),
        torch.cat([one.voxels.points + number * APART for number, one in enumerate(lessons)]),
        first.voxels.activations,
    )
    return replace(
        first,
        voxels=voxels,
        values=values,
        labels=tuple(labels),
        within_part=all(one.within_part for one in lessons),
    )


def _warn_of_structures_elsewhere(labels: Sequence[Label], renumbered: Sequence[tuple[int, ...]]) -> None:
    """Tell of structures that are background in scans where they were not painted."""
    missing = [
        label.name
        for label in labels
        if any(label.value in of_lesson for of_lesson in renumbered)
        and any(0 in of_lesson and label.value not in of_lesson for of_lesson in renumbered)
    ]
    if missing:
        message = (
            f"Not painted in all of the scans: {', '.join(missing)}. Where the others are complete, or outside "
            "of their background region, that counts as background."
        )
        warnings.warn(message, DiffusionSegWarning, stacklevel=3)


def _warn_of_names_that_tell_nothing(labels: Sequence[Label], renumbered: Sequence[tuple[int, ...]]) -> None:
    """Tell of structures that were taken for the same in several scans by a name that nobody gave them."""
    several = [
        label.name
        for label in labels
        if NOT_NAMED.fullmatch(plain(label.name)) and sum(label.value in values for values in renumbered) > 1
    ]
    if several:
        message = (
            f"Learnt as the same structure from several scans, as it is called so in each: {', '.join(several)}. "
            "Give structures names of their own if these are not the same."
        )
        warnings.warn(message, DiffusionSegWarning, stacklevel=3)
