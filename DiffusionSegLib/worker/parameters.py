"""What each method of the worker is called with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label

GIGABYTE = 10**9
Affine = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class NoParameters:
    """Of methods that need nothing."""


@dataclass(frozen=True)
class EstimateParameters:
    """What is to be expected of a scan before it is sent.

    Args:
        bundle: name or folder of the denoisers.
        device: "auto", "cpu" or "cuda".
        shape: the scan's number of voxels along I, J, K.
        affine: 4 x 4, from its voxels to RAS millimetres.
        channels: how many it has.
    """

    bundle: str
    device: str
    shape: tuple[int, int, int]
    affine: Affine
    channels: int = 1


@dataclass(frozen=True)
class OpenParameters:
    """Which scan to work on, and with what.

    Args:
        bundle: name or folder of the denoisers.
        device: "auto", "cpu" or "cuda".
        affine: 4 x 4, from its voxels to RAS millimetres.
        stem: what messages call the scan.
        session_folder: where computed work is kept; None to keep nothing.
        session_bytes: how large that folder may grow.
        memory_bytes: how much memory features of scans that were open before may take.
    """

    bundle: str
    device: str
    affine: Affine
    stem: str
    session_folder: str | None = None
    session_bytes: int = 20 * GIGABYTE
    memory_bytes: int = 2 * GIGABYTE


@dataclass(frozen=True)
class AnnotateParameters:
    """What the painted label map means.

    Args:
        complete_slices: indices along each axis of the slices that are known throughout.
        background_box: first and one-past-last index along each axis; all outside is background.
        labels: the structures.
    """

    complete_slices: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] = ((), (), ())
    background_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = None
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class LessonParameters:
    """What the open scan teaches is known by from now on.

    Args:
        name: the module's own choice; what was called so before is forgotten.
    """

    name: str


@dataclass(frozen=True)
class TrainParameters:
    """Whether to go on from the last segmenter where its classes are the same, and which other scans to learn, too.

    Args:
        warm: whether.
        labels: the structures, by the names by which that segmenter learnt them; none for the names of now.
        beside: names of lessons.
    """

    warm: bool = False
    labels: tuple[Label, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewParameters:
    """Which slices to segment, each as axis (0 to 2) and index."""

    slices: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CleanUpParameters:
    """Label values of which only the largest connected piece is kept, from now on; None for the segmenter's own."""

    keep_largest: tuple[int, ...] | None = None


@dataclass(frozen=True)
class SuggestParameters:
    """How many slices to suggest."""

    count: int = 6


@dataclass(frozen=True)
class PathParameters:
    """A folder on the computer of the worker."""

    path: str


def as_affine(rows: Affine) -> np.ndarray:
    """The 4 x 4 matrix of these rows.

    Raises:
        DiffusionSegError: if they are none that turns voxels into places in the body.
    """
    affine = np.asarray([[float(value) for value in row] for row in rows if len(row) == 4])
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-12:
        message = "The scan does not say where its voxels lie."
        raise DiffusionSegError(message, "Check the volume's spacing and directions, or export the scan again.")
    return affine
