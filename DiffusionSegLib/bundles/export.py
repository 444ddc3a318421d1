"""Making a bundle out of a finished pretraining."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.bundles.bundle import BundleConfig
from DiffusionSegLib.bundles.description import CARD, CONFIG, WEIGHTS
from DiffusionSegLib.configuration import to_json


def write_bundle(folder: Path, config: BundleConfig, weights: dict[str, Tensor], card: str) -> None:
    """Write settings, weights (in half precision) and the model card as a bundle that `ModelBundle.load` reads."""
    with atomic_path(folder / WEIGHTS) as part:
        save_file({name: value.cpu().half().contiguous() for name, value in weights.items()}, part)
    with atomic_path(folder / CONFIG) as part:
        part.write_text(json.dumps(to_json(config), indent=1) + "\n", encoding="utf-8")
    with atomic_path(folder / CARD) as part:
        part.write_text(card, encoding="utf-8")
