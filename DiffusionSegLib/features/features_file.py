"""Extracted features on disk."""

from __future__ import annotations

import json
from pathlib import Path

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
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.progress import Progress, silent

# The number is raised whenever other features are extracted from the same scan, or are kept in another way.
FORMAT = "DiffusionSeg features 2"
COMMON = "features.safetensors"
VIEW = "features-view{}.safetensors"


def features_bytes(features: OrthogonalFeatures) -> int:
    """How much room these features take on disk."""
    tensors = [*_common(features).values(), *(level for view in features.views for level in view.levels.values())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def save_features(folder: Path, features: OrthogonalFeatures, progress: Progress = silent) -> None:
    """Write features to a folder: a file a view, so that the work can be stopped between them, and one for the rest.

    Raises:
        DiffusionSegError: if the disk is full or cannot be written to.
    """
    metadata = {"format": FORMAT, "config": json.dumps(to_json(features.config))}
    # The common file comes last: where it is there, all are.
    (folder / COMMON).unlink(missing_ok=True)
    total = len(features.views) + 1
    for number, view in enumerate(features.views):
        progress("saving", number, total)
        tensors = {str(reduction): level.cpu().contiguous() for reduction, level in view.levels.items()}
        with atomic_path(folder / VIEW.format(number)) as part:
            save_file(tensors, part, metadata={**metadata, "axis": str(view.axis)})
    progress("saving", total - 1, total)
    with atomic_path(folder / COMMON) as part:
        of_all = {"likeness": json.dumps(features.likeness), "flipped": json.dumps(features.flipped)}
        save_file(_common(features), part, metadata={**metadata, "views": str(len(features.views)), **of_all})


def load_features(folder: Path) -> OrthogonalFeatures | None:
    """The features in a folder; None if there are none, or none that can be read.

    Their tensors stay on disk until they are used.
    """
    try:
        common, metadata = _read(folder / COMMON)
        config = from_json(FeatureConfig, json.loads(metadata["config"]))
        views = []
        for number in range(int(metadata["views"])):
            levels, of_view = _read(folder / VIEW.format(number))
            if of_view["config"] != metadata["config"]:
                return None
            order = sorted(levels, key=int, reverse=True)
            views.append(ViewActivations(int(of_view["axis"]), {int(name): levels[name] for name in order}))
        first, second, third = (int(start) for start in common["origin"])
        return OrthogonalFeatures(
            config,
            (first, second, third),
            common["tissue"].numpy().astype(bool),
            tuple(views),
            common["local"],
            common["mean"],
            common["spread"],
            json.loads(metadata["likeness"]),
            tuple(json.loads(metadata["flipped"])),
        )
    # A runtime error is torch's where another process deletes the file between its header and its tensors.
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, DiffusionSegError):
        return None


def _common(features: OrthogonalFeatures) -> dict[str, Tensor]:
    return {
        "origin": torch.tensor(features.origin),
        "tissue": torch.from_numpy(features.tissue.astype(np.uint8)),
        "local": features.local.cpu().contiguous(),
        "mean": features.mean.cpu().contiguous(),
        "spread": features.spread.cpu().contiguous(),
    }


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise ValueError(metadata.get("format"))
        return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
