"""Which segments of the user's own segmentation hold what was found, and which do not."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import slicer

from DiffusionSegCore.segment_labels import SOURCE_TAG, tag

# Written at Apply: the source of what was applied, and the name that it got.
APPLIED_TAG = "DiffusionSeg.AppliedFrom"


@dataclass(frozen=True)
class Claim:
    """A segment that what was found becomes the content of, and what it was before.

    Args:
        segment: of the user's segmentation.
        before: its name.
        mark: what was applied to it last; empty if nothing was.
        name: what it is called from now on.
    """

    segment: slicer.vtkSegment
    before: str
    mark: str
    name: str

    @classmethod
    def of(cls, segment: slicer.vtkSegment, found: slicer.vtkSegment) -> Claim:
        """Mark the segment as holding what was found, and rename it along, unless the user has renamed it."""
        before, mark = segment.GetName(), tag(segment, APPLIED_TAG)
        name = found.GetName() if mark.endswith(f" {quote(before)}") else before
        segment.SetName(name)
        if tag(found, SOURCE_TAG):
            segment.SetTag(APPLIED_TAG, f"{tag(found, SOURCE_TAG)} {quote(found.GetName())}")
        return cls(segment, before, mark, name)

    def give_back(self) -> None:
        """Let the segment be as if nothing had been applied to it; a name that it got since then stays."""
        if self.segment.GetName() == self.name:
            self.segment.SetName(self.before)
        if self.mark:
            self.segment.SetTag(APPLIED_TAG, self.mark)
        else:
            self.segment.RemoveTag(APPLIED_TAG)


def targets_for(found: slicer.vtkSegmentation, target: slicer.vtkSegmentation) -> dict[str, str]:
    """The ID of the segment of the target that each segment of what was found replaces, where there is one."""
    free = {identifier: target.GetSegment(identifier) for identifier in target.GetSegmentIDs()}
    targets: dict[str, str] = {}
    # What was applied before is recognised first: its name may by now be that of another one.
    for recognised in (_was_applied_to, _is_called_as):
        for identifier in found.GetSegmentIDs():
            segment = found.GetSegment(identifier)
            match = next((other for other in free if recognised(segment, free[other])), None)
            if identifier not in targets and match is not None:
                targets[identifier] = match
                del free[match]
    return targets


def _was_applied_to(found: slicer.vtkSegment, segment: slicer.vtkSegment) -> bool:
    source = tag(found, SOURCE_TAG)
    return bool(source) and tag(segment, APPLIED_TAG).startswith(f"{source} ")


def _is_called_as(found: slicer.vtkSegment, segment: slicer.vtkSegment) -> bool:
    return segment.GetName() == found.GetName()
