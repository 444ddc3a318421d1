"""Which segments of the user's own segmentation hold what was found, and which do not."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import slicer

from DiffusionSegCore.segment_copies import SegmentCopy
from DiffusionSegCore.segment_labels import SOURCE_TAG, tag

# Written at Apply: the source of what was applied, and the name that it got.
APPLIED_TAG = "DiffusionSeg.AppliedFrom"
# Written at Apply: what the segment then held, in a few letters.
CONTENT_TAG = "DiffusionSeg.AppliedContent"


@dataclass(frozen=True)
class Claim:
    """A segment that what was found becomes the content of, and what it was before.

    Args:
        segment: of the user's segmentation.
        before: its name.
        mark: what was applied to it last; empty if nothing was.
        name: what it is called from now on.
        content: what it held after the Apply before, in a few letters; empty if there was none.
    """

    segment: slicer.vtkSegment
    before: str
    mark: str
    name: str
    content: str

    @classmethod
    def of(cls, segment: slicer.vtkSegment, found: slicer.vtkSegment) -> Claim:
        """Mark the segment as holding what was found, and rename it along, unless the user has renamed it."""
        before, mark = segment.GetName(), tag(segment, APPLIED_TAG)
        name = found.GetName() if mark.endswith(f" {quote(before)}") else before
        segment.SetName(name)
        if tag(found, SOURCE_TAG):
            segment.SetTag(APPLIED_TAG, f"{tag(found, SOURCE_TAG)} {quote(found.GetName())}")
        return cls(segment, before, mark, name, tag(segment, CONTENT_TAG))

    @property
    def renamed(self) -> bool:
        """Whether the segment got another name."""
        return self.name != self.before

    def was_drawn(self, before: SegmentCopy) -> bool:
        """Whether the segment held something else than what was applied to it last."""
        return before.image is not None and before.digest != self.content

    def note(self, now: SegmentCopy) -> None:
        """Write down what the segment holds, to recognise edits when it is replaced again."""
        self.segment.SetTag(CONTENT_TAG, now.digest)

    def give_back(self) -> None:
        """Let the segment be as if nothing had been applied to it; a name that it got since then stays."""
        if self.segment.GetName() == self.name:
            self.segment.SetName(self.before)
        for name, value in ((APPLIED_TAG, self.mark), (CONTENT_TAG, self.content)):
            if value:
                self.segment.SetTag(name, value)
            else:
                self.segment.RemoveTag(name)


def targets_for(found: slicer.vtkSegmentation, target: slicer.vtkSegmentation) -> dict[str, str]:
    """The ID of the segment of the target that each segment of what was found replaces, where there is one."""
    free = {identifier: target.GetSegment(identifier) for identifier in target.GetSegmentIDs()}
    targets: dict[str, str] = {}
    # What was applied before is recognised first: its name may by now be that of another one.
    for recognised in (was_applied_to, _is_called_as):
        for identifier in found.GetSegmentIDs():
            segment = found.GetSegment(identifier)
            match = next((other for other in free if recognised(segment, free[other])), None)
            if identifier not in targets and match is not None:
                targets[identifier] = match
                del free[match]
    return targets


def was_applied_to(found: slicer.vtkSegment, segment: slicer.vtkSegment) -> bool:
    """Whether a segment holds what was found of the same structure before."""
    source = tag(found, SOURCE_TAG)
    return bool(source) and tag(segment, APPLIED_TAG).startswith(f"{source} ")


def _is_called_as(found: slicer.vtkSegment, segment: slicer.vtkSegment) -> bool:
    return segment.GetName() == found.GetName()
