"""What the segmenter knows, and the segments that it has learnt it from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import numpy as np
import slicer

from DiffusionSegCore.segment_labels import label_from_json, label_to_json, labels_of
from DiffusionSegLib.labels import Label


@dataclass(frozen=True)
class LearntLabel:
    """A label of the segmenter.

    Args:
        label: what it was called when it was learnt.
        seeds: ID of the node that it was painted in; empty for a segmenter from a file.
        segment: ID of its segment there; empty for a segmenter from a file.
    """

    label: Label
    seeds: str = ""
    segment: str = ""

    @property
    def identifier(self) -> str:
        """The ID of its segment where it is shown."""
        return self.segment or f"Label_{self.label.value}"

    @property
    def source(self) -> str:
        """Where it was learnt, in one word that files of segmentations can hold; the same whatever it is called."""
        return quote(" ".join([self.seeds, self.segment] if self.seeds else [str(self.label.value), self.label.name]))

    def as_called_now(self, seeds: slicer.vtkMRMLSegmentationNode | None) -> Label:
        """The label with name, colour and terminology that its own segment has now, if the seeds still have that."""
        if seeds is None or seeds.GetID() != self.seeds:
            return self.label
        now = labels_of(seeds).get(self.segment, self.label)
        return replace(now, value=self.label.value)

    def to_json(self) -> dict[str, Any]:
        """The label as JSON can hold it."""
        return {**label_to_json(self.label), "seeds": self.seeds, "segment": self.segment}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> LearntLabel:
        """The label that `to_json` wrote; scenes of older versions do not say where it comes from."""
        return cls(label_from_json(said), said.get("seeds", ""), said.get("segment", ""))


def learnt_from(seeds: slicer.vtkMRMLSegmentationNode, painted: np.ndarray) -> list[LearntLabel]:
    """What a training on these label values learns: the segments without any paint are none of it."""
    # Plane by plane: sorting or counting a whole volume takes several times its memory.
    values = set().union(*(np.unique(plane).tolist() for plane in painted))
    labels = labels_of(seeds).items()
    return [LearntLabel(label, seeds.GetID(), identifier) for identifier, label in labels if label.value in values]


def with_those_of_others(learnt: Sequence[LearntLabel], labels: Sequence[dict[str, Any]]) -> list[LearntLabel]:
    """What was learnt from the chosen volume, then those of the segmenter's labels that only other volumes showed."""
    own = {one.label.value for one in learnt}
    return [*learnt, *(LearntLabel(label_from_json(said)) for said in labels if said["value"] not in own)]


def labels_as_learnt(seeds: slicer.vtkMRMLSegmentationNode, learnt: Sequence[LearntLabel]) -> list[Label]:
    """The labels of the seeds, by the names by which they were learnt where their segments were renamed since."""
    known = {(one.segment, one.label.value): one.label for one in learnt if one.seeds == seeds.GetID()}
    return [known.get((identifier, label.value), label) for identifier, label in labels_of(seeds).items()]
