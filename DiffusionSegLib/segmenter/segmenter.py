"""A trained segmenter: the ensemble with all that is needed to use it on another scan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.configuration import from_json, to_json
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.segmenter_check import check_fit, check_header

FORMAT = "DiffusionSeg segmenter 1"


@dataclass(frozen=True)
class SegmenterHeader:
    """What a segmenter's file says of itself.

    Args:
        bundle: name of the bundle that its features come from.
        bundle_digest: SHA-256 of all that its features follow from.
        channels: how many channels a scan must have: those of the bundle, and any others that were given beside them.
        features: which features it takes.
        values: label value of each class, in the order of the ensemble's outputs.
        labels: names and colours of the structures.
        keep_largest: label values of which only the largest connected component is kept.
        hidden: widths of the hidden layers.
        members: number of MLPs.
        combine: whether the mean of their probabilities decides, or the most probable class of each as a vote.
        within_part: whether it looks for its structures only in that part of a scan which the bundle's template shows.
    """

    bundle: str
    bundle_digest: str
    channels: int
    features: FeatureConfig
    values: tuple[int, ...]
    labels: tuple[Label, ...]
    keep_largest: tuple[int, ...]
    hidden: tuple[int, int]
    members: int
    combine: Literal["mean", "vote"] = "mean"
    within_part: bool = False

    @classmethod
    def of(
        cls,
        bundle: ModelBundle,
        channels: int,
        features: FeatureConfig,
        ensemble: EnsembleConfig,
        values: tuple[int, ...],
        labels: tuple[Label, ...] = (),
        keep_largest: tuple[int, ...] = (),
        combine: Literal["mean", "vote"] = "mean",
        within_part: bool = False,
    ) -> SegmenterHeader:
        """The header of an ensemble that learns these values from these features of scans of so many channels."""
        return cls(
            bundle=bundle.name,
            bundle_digest=bundle.digest,
            channels=channels,
            features=features,
            values=values,
            labels=labels,
            keep_largest=keep_largest,
            hidden=ensemble.hidden,
            members=ensemble.members,
            combine=combine,
            within_part=within_part,
        )

    def called_as(self, labels: Sequence[Label]) -> SegmenterHeader:
        """The header, with structures by the names that they have among these labels, as far as they are there."""
        names = {label.value: label.name for label in labels}
        renamed = tuple(replace(label, name=names.get(label.value, label.name)) for label in self.labels)
        return replace(self, labels=renamed)

    def goes_on_from(self, other: SegmenterHeader) -> bool:
        """Whether an ensemble of the other takes the same features, tells the same structures and has its shape."""
        return self._learnt() == other._learnt() and self._names() == other._names()

    def _learnt(self) -> SegmenterHeader:
        """The header without what is no matter of learning."""
        return replace(self, labels=(), keep_largest=(), combine="mean", within_part=False)

    def _names(self) -> dict[int, str]:
        """What the classes are called, by value."""
        return {label.value: label.name for label in self.labels if label.value in self.values}


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A trained ensemble with its header; one safetensors file on disk."""

    header: SegmenterHeader
    ensemble: MlpEnsemble

    @property
    def labels(self) -> tuple[Label, ...]:
        return self.header.labels

    def check_bundle(self, bundle: ModelBundle) -> None:
        """Raise a DiffusionSegError unless the segmenter was trained on features that `bundle` makes."""
        if self.header.bundle_digest != bundle.digest:
            message = (
                f"The segmenter was made with other weights or settings of the bundle {self.header.bundle}, "
                "or by another version of DiffusionSeg."
            )
            raise DiffusionSegError(message, "Train the segmenter again, or choose the bundle it was made with.")
        check_fit(self.header, self.ensemble.weights[0].shape[1], bundle)

    def check_channels(self, channels: int) -> None:
        """Raise a DiffusionSegError unless the segmenter learnt from scans of so many channels."""
        if self.header.channels != channels:
            message = f"The segmenter learnt from scans of {self.header.channels} channels, this one has {channels}."
            raise DiffusionSegError(message, "Choose the same channels in the same order, or train another segmenter.")

    def to_bytes(self) -> bytes:
        """The content of the segmenter's file."""
        metadata = {"format": FORMAT, "header": json.dumps(to_json(self.header))}
        return save({name: value.cpu().contiguous() for name, value in self.ensemble.state_dict().items()}, metadata)

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "The file") -> Segmenter:
        """The segmenter whose file has this content.

        Raises:
            DiffusionSegError: if it is something else or says what cannot be; it goes by `name` then.
        """
        try:
            tensors = load(content)
            metadata = _metadata(content)
            if metadata.get("format") != FORMAT:
                raise ValueError(metadata.get("format"))
            header = from_json(SegmenterHeader, json.loads(metadata["header"]))
            _, features, _ = tensors["weights.0"].shape
            ensemble = MlpEnsemble(header.members, features, header.hidden, len(header.values))
            ensemble.load_state_dict(tensors)
        except (
            SafetensorError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RuntimeError,
        ) as error:
            message = f"{name} is not a segmenter that can be read."
            raise DiffusionSegError(message, "Choose a file that was saved as a segmenter, or train again.") from error
        check_header(header, name)
        return cls(header, ensemble.eval().requires_grad_(False))

    def save(self, path: Path) -> None:
        """Write the segmenter to one file, in one go."""
        with atomic_path(path) as part:
            part.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Segmenter:
        """Read a segmenter.

        Raises:
            DiffusionSegError: if the file is missing, damaged or something else.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise DiffusionSegError(f"There is no segmenter {path}.", "Check the file's name.") from error
        except OSError as error:
            message = f"The segmenter {path} cannot be read."
            raise DiffusionSegError(message, "Check that it is a file that you may read.") from error
        return cls.from_bytes(content, path.name)

    def to(self, device: torch.device) -> Segmenter:
        """The segmenter with its ensemble on `device`."""
        return Segmenter(self.header, self.ensemble.to(device))


def _metadata(content: bytes) -> dict[str, Any]:
    """What a safetensors file says beside its tensors, which its library tells of files on disk alone."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]).get("__metadata__") or {}
