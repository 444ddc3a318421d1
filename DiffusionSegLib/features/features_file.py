"""Extracted features on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.configuration import from_json, to_json
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.needed_pixels import NeededPixels
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.progress import Progress, silent

# The number is raised whenever other features are extracted from the same scan, or are kept in another way.
FORMAT = "DiffusionSeg features 6"
COMMON = "features.safetensors"
VIEW = "features-view{}.safetensors"
ROWS, VALUES = "rows-", "values-"


# A runtime error is torch's where another process deletes the file between its header and its tensors.
UNREADABLE = (OSError, SafetensorError, KeyError, ValueError, RuntimeError, DiffusionSegError)


def features_bytes(features: OrthogonalFeatures) -> int:
    """How much room these features take on disk."""
    return _bytes_of(_common(features)) + sum(view.bytes for view in features.views)


def missing_bytes(folder: Path, features: OrthogonalFeatures) -> int:
    """How much room those of the features take that are not in the folder yet."""
    missing = [view for number, view in enumerate(features.views) if not _holds(folder, features.config, number)]
    return _bytes_of(_common(features)) + sum(view.bytes for view in missing)


def delete_others(folder: Path, config: FeatureConfig | None = None) -> None:
    """Delete the features in a folder but for the views of such features as are wanted; None if none are."""
    # The common file first: without it the others are views of unfinished features.
    (folder / COMMON).unlink(missing_ok=True)
    for path in folder.glob(VIEW.format("*")):
        if config is None or not _is_of(path, config):
            path.unlink(missing_ok=True)


def save_features(folder: Path, features: OrthogonalFeatures, progress: Progress = silent) -> None:
    """Write features to a folder: a file a view, unless that is there, and one for the rest.

    The work can be stopped between the files.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    # The common file comes last: where it is there, all are.
    (folder / COMMON).unlink(missing_ok=True)
    total = len(features.views) + 1
    for number, view in enumerate(features.views):
        progress("saving", number, total)
        if not _holds(folder, features.config, number):
            save_view(folder, features.config, number, view)
    progress("saving", total - 1, total)
    with atomic_path(folder / COMMON) as part:
        of_all = {"likeness": json.dumps(features.likeness), "flipped": json.dumps(features.flipped)}
        metadata = {**_metadata(features.config), "views": str(len(features.views)), **of_all}
        save_file(_common(features), part, metadata=metadata)


def save_view(folder: Path, config: FeatureConfig, number: int, view: ViewActivations) -> None:
    """Write one of the views of features that are perhaps still being computed.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    tensors = {}
    for reduction, level in view.levels.items():
        tensors[f"{ROWS}{reduction}"], tensors[f"{VALUES}{reduction}"] = level.rows.cpu(), level.values.cpu()
    with atomic_path(folder / VIEW.format(number)) as part:
        save_file(tensors, part, metadata={**_metadata(config), "axis": str(view.axis)})


def load_features(folder: Path) -> OrthogonalFeatures | None:
    """The features in a folder; None if there are none, or none that can be read.

    Their tensors stay on disk until they are used.
    """
    try:
        common, metadata = _read(folder / COMMON)
        config = from_json(FeatureConfig, json.loads(metadata["config"]))
        views = [load_view(folder, config, number) for number in range(int(metadata["views"]))]
        found = tuple(view for view in views if view is not None)
        if len(found) < len(views):
            return None
        first, second, third = (int(start) for start in common["origin"])
        return OrthogonalFeatures(
            config,
            (first, second, third),
            common["tissue"].numpy().astype(bool),
            found,
            common["local"],
            common["typical"],
            common["mean"],
            common["spread"],
            json.loads(metadata["likeness"]),
            tuple(json.loads(metadata["flipped"])),
            common["part"].numpy().astype(bool) if "part" in common else None,
        )
    except UNREADABLE:
        return None


def load_view(folder: Path, config: FeatureConfig, number: int) -> ViewActivations | None:
    """One of the views of such features; None if it is not in the folder, or cannot be read."""
    try:
        tensors, metadata = _read(folder / VIEW.format(number))
        reductions = sorted((int(name.removeprefix(ROWS)) for name in tensors if name.startswith(ROWS)), reverse=True)
        levels = {edge: NeededPixels(tensors[f"{ROWS}{edge}"], tensors[f"{VALUES}{edge}"]) for edge in reductions}
        view = ViewActivations(int(metadata["axis"]), levels)
        return view if metadata["config"] == _metadata(config)["config"] else None
    except UNREADABLE:
        return None


def _holds(folder: Path, config: FeatureConfig, number: int) -> bool:
    return _is_of(folder / VIEW.format(number), config)


def _is_of(path: Path, config: FeatureConfig) -> bool:
    """Whether a file holds one of the views of such features."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except UNREADABLE:
        return False
    return _metadata(config).items() <= metadata.items()


def _metadata(config: FeatureConfig) -> dict[str, str]:
    """What every file of such features says of itself."""
    return {"format": FORMAT, "config": json.dumps(to_json(config))}


def _bytes_of(tensors: Mapping[Any, Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _common(features: OrthogonalFeatures) -> dict[str, Tensor]:
    part = {} if features.part is None else {"part": torch.from_numpy(features.part.astype(np.uint8))}
    return part | {
        "origin": torch.tensor(features.origin),
        "tissue": torch.from_numpy(features.tissue.astype(np.uint8)),
        "local": features.local.cpu().contiguous(),
        "typical": features.typical.contiguous(),
        "mean": features.mean.cpu().contiguous(),
        "spread": features.spread.cpu().contiguous(),
    }


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise ValueError(metadata.get("format"))
        return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
