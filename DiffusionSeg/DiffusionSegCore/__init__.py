"""The module's logic: segmentation tasks in a MRML scene, without Qt and without torch."""

from __future__ import annotations

from DiffusionSegCore.annotation_slices import COMPLETE, PAINTED, TO_PAINT, AnnotationSlice
from DiffusionSegCore.engine import DiffusionSegEngine

__all__ = ["COMPLETE", "PAINTED", "TO_PAINT", "AnnotationSlice", "DiffusionSegEngine"]
