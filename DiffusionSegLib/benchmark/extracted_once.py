"""Our way in several forms that share the features of a scan, which are computed once."""

from __future__ import annotations

from DiffusionSegLib.benchmark.methods import DiffusionMethod, DiffusionScan
from DiffusionSegLib.session import SessionOptions
from DiffusionSegLib.volume import Volume


class ExtractedOnce(DiffusionMethod):
    """Diffusion-model features and the ensemble; a scan's features are kept once it was opened.

    Args:
        options: bundle, features and training.
    """

    def __init__(self, options: SessionOptions) -> None:
        super().__init__(options)
        self._opened: dict[str, DiffusionScan] = {}

    def open(self, volume: Volume) -> DiffusionScan:
        key = volume.content_digest()
        if key not in self._opened:
            self._opened[key] = super().open(volume)
        return self._opened[key]


class OnTheSameFeatures(DiffusionMethod):
    """Our way with other options that take the same features.

    Args:
        extracted: computes the features.
        options: how to learn from them.
    """

    def __init__(self, extracted: ExtractedOnce, options: SessionOptions) -> None:
        super().__init__(options)
        self.extracted = extracted

    def open(self, volume: Volume) -> DiffusionScan:
        return self.extracted.open(volume)
