"""Segments as labels: a value that stays, a name, a colour and a terminology entry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import slicer
import vtk

from DiffusionSegLib.labels import Label

VALUE_TAG = "DiffusionSeg.LabelValue"
# Of what was found: where it was learnt, whatever it is called.
SOURCE_TAG = "DiffusionSeg.Source"
LARGEST_VALUE = 65535


def labels_of(segmentation: slicer.vtkMRMLSegmentationNode) -> dict[str, Label]:
    """The label of every segment, by segment ID and in the segments' order.

    A segment keeps the value that it once got: it is written into a tag, which goes with it into files. New segments
    take the value of their voxels if no other has it, otherwise the next free one.
    """
    contents = segmentation.GetSegmentation()
    segments = {identifier: contents.GetSegment(identifier) for identifier in contents.GetSegmentIDs()}
    values: dict[str, int] = {}
    for identifier, segment in segments.items():
        value = _tagged_value(segment)
        if value is not None and value not in values.values():
            values[identifier] = value
    for identifier, segment in segments.items():
        if identifier not in values:
            values[identifier] = _free_value(segment.GetLabelValue(), set(values.values()))
            segment.SetTag(VALUE_TAG, str(values[identifier]))
    return {identifier: label_of(segment, values[identifier]) for identifier, segment in segments.items()}


def label_of(segment: slicer.vtkSegment, value: int) -> Label:
    """A segment's name, colour and terminology as the label of `value`."""
    red, green, blue = (round(255 * part) for part in segment.GetColor())
    terminology = tag(segment, slicer.vtkSegment.GetTerminologyEntryTagName())
    return Label(value, segment.GetName() or f"Label {value}", (red, green, blue), terminology)


def dress(segment: slicer.vtkSegment, label: Label) -> None:
    """Give a segment the value, name, colour and terminology of a label."""
    segment.SetName(label.name)
    segment.SetColor(*(part / 255 for part in label.color))
    segment.SetTag(VALUE_TAG, str(label.value))
    if label.terminology:
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), label.terminology)


def tag(segment: slicer.vtkSegment, name: str) -> str:
    """A segment's tag; empty if it has none of that name."""
    text = vtk.reference("")
    return str(text) if segment.GetTag(name, text) else ""


def label_to_json(label: Label) -> dict[str, Any]:
    """A label as JSON can hold it."""
    return {**asdict(label), "color": list(label.color)}


def label_from_json(said: dict[str, Any]) -> Label:
    """The label that `label_to_json` wrote; its terminology may be missing."""
    red, green, blue = said["color"]
    return Label(int(said["value"]), str(said["name"]), (red, green, blue), str(said.get("terminology", "")))


def _tagged_value(segment: slicer.vtkSegment) -> int | None:
    text = tag(segment, VALUE_TAG)
    return int(text) if text.isdecimal() and 0 < int(text) <= LARGEST_VALUE else None


def _free_value(wanted: int, taken: set[int]) -> int:
    if 0 < wanted <= LARGEST_VALUE and wanted not in taken:
        return wanted
    return next(value for value in range(1, LARGEST_VALUE) if value not in taken)
