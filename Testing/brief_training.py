"""Training for fewer steps than the program would take: tests tell structures of phantoms apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from DiffusionSegLib.segmenter.ensemble_training import train_ensemble


def training_with(**changes: Any) -> Callable[..., Any]:
    """`train_ensemble`, but with settings other than those asked for."""
    return lambda voxels, classes, config, *rest: train_ensemble(voxels, classes, replace(config, **changes), *rest)
