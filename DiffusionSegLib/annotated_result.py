"""What is annotated stays as it is annotated in what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.prediction import Prediction, SlicePrediction
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.structure_names import values_among
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
    """What is annotated of structures that the segmenter knows, in its values, and as background beside them."""
    if annotation is None:
        return None
    values = {0: 0} if 0 in segmenter.header.values else {}
    values |= values_among(segmenter.labels, annotation.labels)
    known = {value: values[value] for value in annotation.classes if values.get(value) in segmenter.header.values}
    if not known.keys() - {0}:
        return None
    if known == {value: value for value in annotation.classes}:
        return annotation
    renumbered = np.full(max(annotation.classes) + 2, UNKNOWN, np.int32)
    renumbered[list(known)] = list(known.values())
    labels = tuple(label for label in segmenter.labels if label.value in known.values())
    # What is unknown, -1, finds the last of the new numbers.
    return replace(annotation, labelmap=renumbered[annotation.labelmap], labels=labels)
