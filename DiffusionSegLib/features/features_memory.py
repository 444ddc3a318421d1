"""Features of the scans used last, kept in memory as far as a budget allows."""

from __future__ import annotations

from collections import OrderedDict

from DiffusionSegLib.features.features_file import features_bytes
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures


class FeaturesMemory:
    """Features by what they were made from; those used the longest time ago go first.

    Args:
        budget: bytes that all of them may take together.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._kept: OrderedDict[str, tuple[OrthogonalFeatures, int]] = OrderedDict()

    def put(self, key: str, features: OrthogonalFeatures) -> None:
        """Keep features; such as are larger than the budget are not kept."""
        self._kept.pop(key, None)
        size = features_bytes(features)
        if size > self.budget:
            return
        self._kept[key] = (features, size)
        self._let_go()

    def get(self, key: str) -> OrthogonalFeatures | None:
        """The features kept under `key`, which count as used from now on; None if there are none."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def limit(self, budget: int) -> None:
        """Keep no more than so many bytes from now on; 0 lets go of all."""
        self.budget = budget
        self._let_go()

    def _let_go(self) -> None:
        while self._kept and sum(size for _, size in self._kept.values()) > self.budget:
            self._kept.popitem(last=False)
