"""Whether what a segmenter's file says of itself can be worked with, told before any work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from DiffusionSegLib.annotation import LARGEST_VALUE
from DiffusionSegLib.bundles.config_check import problems_of_features, problems_of_time_steps
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_count import feature_count

if TYPE_CHECKING:
    from DiffusionSegLib.bundles.bundle import ModelBundle
    from DiffusionSegLib.segmenter.segmenter import SegmenterHeader


def check_header(header: SegmenterHeader, name: str) -> None:
    """Raise a DiffusionSegError if a value is out of its range; the segmenter goes by `name` then."""
    _refuse(name, [*_problems_of_header(header), *problems_of_features(header.features)])


def check_fit(header: SegmenterHeader, features: int, bundle: ModelBundle) -> None:
    """Raise a DiffusionSegError unless a bundle makes the features of a segmenter that learnt from so many."""
    _refuse("The segmenter", _problems_of_fit(header, features, bundle))


def _problems_of_header(header: SegmenterHeader) -> Iterator[str]:
    if header.channels < 1:
        yield f"channels is {header.channels}"
    if header.members < 1 or not header.values:
        yield "it has no networks or no label values"
    if len(set(header.values)) < len(header.values) or not all(0 <= value <= LARGEST_VALUE for value in header.values):
        yield f"the label values {list(header.values)} are not all different ones from 0 to {LARGEST_VALUE}"
    if not all(1 <= label.value <= LARGEST_VALUE for label in header.labels):
        yield f"its labels are not all numbered from 1 to {LARGEST_VALUE}"
    if not all(0 <= part <= 255 for label in header.labels for part in label.color):
        yield "a label's colour is not between 0 and 255"


def _problems_of_fit(header: SegmenterHeader, features: int, bundle: ModelBundle) -> Iterator[str]:
    unet, chosen = bundle.config.unet, header.features
    if header.channels < unet.channels_in:
        yield f"it wants scans of {header.channels} channels, its bundle of {unet.channels_in} at least"
    yield from problems_of_time_steps(chosen, bundle.config.schedule.steps)
    if max(chosen.blocks) >= unet.decoder_blocks:
        yield f"the blocks {list(chosen.blocks)} are not all among the bundle's {unet.decoder_blocks}"
    elif features != (made := feature_count(chosen, unet, header.channels)):
        yield f"it learnt from {features} features, of which its bundle makes {made}"


def _refuse(name: str, found: Iterable[str]) -> None:
    problems = "; ".join(found)
    if problems:
        message = f"{name} cannot be used: {problems}."
        raise DiffusionSegError(message, "The file is damaged or was made by another version.")
