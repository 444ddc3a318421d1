"""Where finished views are kept while the other ones are computed."""

from __future__ import annotations

from typing import Protocol

from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.feature_config import FeatureConfig


class KeptViews(Protocol):
    """The views of one scan, each by its number among those of the configuration."""

    def load(self, config: FeatureConfig, number: int) -> ViewActivations | None:
        """A view that was kept; None if it was not."""

    def save(self, config: FeatureConfig, number: int, view: ViewActivations) -> None:
        """Keep a view, if that can be done."""
