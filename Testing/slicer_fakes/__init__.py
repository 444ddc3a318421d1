"""Thin fakes of what desktop Slicer has and slicer-core has not: they test our code, not Slicer's."""
