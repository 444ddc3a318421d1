"""What the pretraining in a folder learns, so that no other one goes on from its checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DiffusionSegLib.atomic_file import write_json
from DiffusionSegLib.bundles.bundle import TEMPLATE
from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.training_state import CHECKPOINT
from DiffusionSegLib.errors import DiffusionSegError

RECORD = "pretraining.json"
# A pretraining may be made longer, and its checkpoints more frequent.
FREE_TO_CHANGE = ("steps", "save_every")


def claim_folder(
    folder: Path,
    config: PretrainingConfig,
    images: Sequence[np.ndarray],
    labelmaps: Sequence[np.ndarray],
    start: str,
) -> None:
    """Write down in `folder` what is to be learnt there; images by their digests, as their names may be patients'.

    Args:
        folder: of the checkpoints.
        config: how to train.
        images: what to train on.
        labelmaps: what else to train on.
        start: digest of the weights to begin with; empty for random ones.

    Raises:
        DiffusionSegError: if the folder holds a checkpoint or a template of other images or settings.
    """
    settings = {name: value for name, value in to_json(config).items() if name not in FREE_TO_CHANGE}
    learnt = {"images": _digests(images), "label maps": _digests(labelmaps), "weights to start from": start}
    # As JSON gives it back: tuples as lists.
    wanted = json.loads(json.dumps({**settings, **learnt}))
    known = _known(folder / RECORD)
    begun = any((folder / name).exists() for name in (CHECKPOINT, TEMPLATE))
    if begun and known != wanted:
        others = ", ".join(sorted(name for name in wanted if known.get(name) != wanted[name]))
        message = f"The folder {folder} holds another pretraining (of other {others})."
        raise DiffusionSegError(message, "Delete it, or choose another folder for the bundle.")
    write_json(folder / RECORD, wanted)


def _digests(volumes: Sequence[np.ndarray]) -> list[str]:
    return [hashlib.sha256(volume.tobytes()).hexdigest() for volume in volumes]


def _known(record: Path) -> dict[str, Any]:
    """What is written down, nothing where that is missing or damaged."""
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
