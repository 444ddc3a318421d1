"""The names and colours of what is segmented."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One structure: its value in label maps, its name and its colour.

    Args:
        value: voxel value in label maps, 1 or more (0 is the background).
        name: what the structure is called.
        color: red, green, blue, each 0 to 255.
        terminology: Slicer's terminology entry string; empty if none was given.
    """

    value: int
    name: str
    color: tuple[int, int, int]
    terminology: str = ""

    @classmethod
    def generic(cls, value: int) -> Label:
        """A label known by its value alone, in a colour that differs from its neighbours'."""
        # Steps of the golden ratio spread hues evenly however many labels there are.
        red, green, blue = colorsys.hsv_to_rgb(value * 0.618034 % 1.0, 0.65, 0.95)
        return cls(value, f"Label {value}", (round(red * 255), round(green * 255), round(blue * 255)))
