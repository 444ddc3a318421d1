"""Which structures are each other's mirror image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from DiffusionSegLib.labels import Label

# In lower case: "left thalamus", "thalamus_left", "left-thalamus", but not "leftover".
SIDE = re.compile(r"(?<![a-z])(left|right)(?![a-z])")


def mirrored_values(labels: Sequence[Label]) -> dict[int, int] | None:
    """The value that each label's voxels have in a mirror, told by "left" and "right" in the names.

    Labels without a side stay what they are. None where nothing has a side, since a structure may then be painted on
    one side alone without its name telling so; where a side is missing, since its voxels would be background here and
    another structure in the mirror; or where two labels have the same name.
    """
    found: dict[int, int] = {}
    values = {label.name.lower(): label.value for label in labels}
    if len(values) < len(labels):
        return None
    sided = False
    for label in labels:
        name = label.name.lower()
        other = SIDE.sub(lambda side: "right" if side[0] == "left" else "left", name)
        if other not in values:
            return None
        sided |= other != name
        found[label.value] = values[other]
    return found if sided else None
