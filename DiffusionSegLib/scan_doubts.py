"""What makes it doubtful that a scan is one of those that a model was made for."""

from __future__ import annotations

import numpy as np

from DiffusionSegLib.normalisation import is_much_below_zero
from DiffusionSegLib.orientation_check import ANTERIOR, SUPERIOR

# Of a scan and the template of the model brain-t1: other people of its own data set 0.94, the MNI152 brain 0.93, a T1
# scan with lesions of multiple sclerosis 0.87, T1 with contrast agent and a tumour 0.84, FLAIR 0.81 and 0.72.
LEAST_LIKENESS = 0.82
WAYS_ROUND = {(SUPERIOR,): "upside down", (ANTERIOR,): "back to front", (ANTERIOR, SUPERIOR): "turned by 180 degrees"}


def doubts_of_intensities(channels: np.ndarray, modality: str) -> list[str]:
    """What the user should know of a scan's intensities (C, I, J, K), one sentence each."""
    # Where nothing at all lies above zero, that is told as an error.
    if modality != "mr" or not (channels > 0).any() or not any(map(is_much_below_zero, channels)):
        return []
    return [
        "Much of the scan has intensities below zero, which count as air, so that structures may be missed: "
        "give the scan as it was before its intensities were shifted."
    ]


def doubts_of_orientation(flipped: tuple[int, ...]) -> list[str]:
    """What the user should know of how a scan lies, one sentence each.

    Args:
        flipped: the axes of RAS order along which it must be flipped to lie as the template does.
    """
    if not flipped:
        return []
    return [
        f"The scan seems to lie {WAYS_ROUND[flipped]}, so that structures will be missed: "
        "check the orientation in its header, left and right included."
    ]


def doubts_of_part(in_part: bool) -> list[str]:
    """What the user should know of a scan that shows more than the template, if it does, one sentence each."""
    if not in_part:
        return []
    return [
        "The scan shows more than the model was made for, such as the skull around a brain: "
        "structures that were learnt within that part are looked for there alone."
    ]


def doubts_of_likeness(likeness: float | None, bundle: str) -> list[str]:
    """What the user should know of how much a scan looks like the template of a bundle, one sentence each.

    Args:
        likeness: the correlation of their intensities; None where the bundle has no template.
        bundle: the bundle's name.
    """
    if likeness is None or likeness >= LEAST_LIKENESS:
        return []
    return [
        f"The scan hardly looks like those that the model {bundle} was made for, so that structures "
        "may be missed: check contrast and body part, and whether the model expects the skull to be removed."
    ]
