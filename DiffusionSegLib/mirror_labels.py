"""Which structures are each other's mirror image."""

from __future__ import annotations

import re
from collections.abc import Sequence

from DiffusionSegLib.labels import Label

# In lower case: "left thalamus", "thalamus_left", "ctx-lh-precentral", "putamen_l", but not "leftover" or "l1".
SIDE = re.compile(r"(?<![a-z0-9])(left|right|lh|rh|l|r)(?![a-z0-9])")
OTHER_SIDE = {"left": "right", "lh": "rh", "l": "r"}
OTHER_SIDE |= {right: left for left, right in OTHER_SIDE.items()}


def mirrored_values(labels: Sequence[Label]) -> dict[int, int] | None:
    """The value that each label's voxels have in a mirror, told by "left" and "right", or their letters, in the names.

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
        other = SIDE.sub(lambda side: OTHER_SIDE[side[0]], name)
        if other not in values:
            return None
        sided |= other != name
        found[label.value] = values[other]
    return found if sided else None
