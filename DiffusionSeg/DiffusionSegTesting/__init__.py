"""What the module tests of itself within Slicer."""

from __future__ import annotations

from DiffusionSegTesting.whole_story import WholeStory

__all__ = ["WholeStory"]
