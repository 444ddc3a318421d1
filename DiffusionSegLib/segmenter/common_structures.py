"""Which structures of several annotated scans are the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from DiffusionSegLib.labels import Label
from DiffusionSegLib.structure_names import has_no_name, plain


class CommonStructures:
    """The structures of all scans so far; two of the same scan are never one.

    They are the same in several scans if they have the same name, as far as that is a matter of meaning, or if one of
    two with the same value has no name of its own.
    """

    def __init__(self) -> None:
        self.labels: list[Label] = []
        # Those whose own value was taken by another structure have one that means nothing.
        self._renumbered: set[int] = set()

    def take_in(self, labels: Sequence[Label]) -> dict[int, int]:
        """By value of a scan's structures that among all; those that no other scan has had are added."""
        found: dict[int, int] = {}
        # Names first, so that a structure without one does not take the place of another's namesake.
        for pairs in (self._namesakes(labels), self._of_equal_values(labels)):
            for label, number in pairs:
                known = self.labels[number]
                if label.value not in found and known.value not in found.values():
                    found[label.value] = known.value
                    if has_no_name(known):
                        self.labels[number] = replace(label, value=known.value)
        for label in labels:
            if label.value not in found:
                found[label.value] = self._add(label, {other.value for other in labels})
        return found

    def _namesakes(self, labels: Sequence[Label]) -> Iterator[tuple[Label, int]]:
        """Each structure with the numbers of those of its name, first where values are equal, too."""
        pairs = [
            (label, number)
            for label in labels
            for number, known in enumerate(self.labels)
            if plain(known.name) == plain(label.name)
        ]
        return iter(sorted(pairs, key=lambda pair: pair[0].value != self.labels[pair[1]].value))

    def _of_equal_values(self, labels: Sequence[Label]) -> Iterator[tuple[Label, int]]:
        for label in labels:
            for number, known in enumerate(self.labels):
                nameless = has_no_name(known) or has_no_name(label)
                if known.value == label.value and nameless and known.value not in self._renumbered:
                    yield label, number

    def _add(self, label: Label, of_scan: set[int]) -> int:
        taken = {known.value for known in self.labels}
        value = label.value
        if value in taken:
            value = next(free for free in itertools.count(1) if free not in taken | of_scan)
            self._renumbered.add(value)
        self.labels.append(replace(label, value=value))
        return value
