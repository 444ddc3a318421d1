"""What is annotated stays as it is annotated in what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.prediction import Prediction, SlicePrediction
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.tile_classifier import SURE

Found = TypeVar("Found", Prediction, SlicePrediction)


def as_annotated(found: Found, annotation: Annotation | None, part: tuple[slice | int, ...] = ()) -> Found:
    """What was found in a scan or a part of it, but as annotated."""
    if annotation is None:
        return found
    return replace(
        found,
        labelmap=annotation.over(found.labelmap, part),
        uncertainty=annotation.surely(found.uncertainty, part),
        confidence=annotation.surely(found.confidence, part, sure=SURE),
    )


def as_far_as_known(annotation: Annotation | None, segmenter: Segmenter) -> Annotation | None:
    """What is annotated of structures by which the segmenter means the same, and as background beside them."""
    if annotation is None:
        return None
    # Nearly all segmenters have the values from 1 on: a painting of other structures must not get their names.
    names = {label.value: label.name for label in segmenter.labels}
    painted = {label.value: label.name for label in annotation.labels}
    known = {value for value in annotation.classes if painted.get(value) == names.get(value)}
    known &= set(segmenter.header.values)
    if not known - {0}:
        return None
    if known == set(annotation.classes):
        return annotation
    return replace(
        annotation, labelmap=np.where(np.isin(annotation.labelmap, list(known)), annotation.labelmap, UNKNOWN)
    )
