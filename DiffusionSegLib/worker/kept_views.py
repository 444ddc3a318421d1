"""Views in a scan's folder, so that a computer that is switched off takes the view at work with it and no other."""

from __future__ import annotations

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.worker.session_folder import ScanFolder


class ViewsInFolder:
    """Keeps views until one cannot be kept, of which saving all features will tell.

    Args:
        scan: where.
    """

    def __init__(self, scan: ScanFolder) -> None:
        self._scan, self._takes_more = scan, True

    def load(self, config: FeatureConfig, number: int) -> ViewActivations | None:
        """A view that was kept; None if it was not."""
        return self._scan.load_view(config, number)

    def save(self, config: FeatureConfig, number: int, view: ViewActivations) -> None:
        """Keep a view, if that can be done."""
        if self._takes_more:
            try:
                self._scan.save_view(config, number, view)
            except DiffusionSegError:
                self._takes_more = False
