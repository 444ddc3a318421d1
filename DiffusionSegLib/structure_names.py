"""Which structures are the same, by what they are called."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegLib.labels import Label


def plain(name: str) -> str:
    """A name without what is no matter of meaning: capitals, and spaces around and between words."""
    return " ".join(name.split()).casefold()


def values_among(known: Sequence[Label], labels: Sequence[Label]) -> dict[int, int]:
    """By each label's value that of the same structure among the known ones; those without one are left out.

    Names tell which they are, and values only where several have the same name: nearly all segmenters have the values
    from 1 on, and other structures must not be taken for theirs.
    """
    found = {}
    for label in labels:
        alike = [one.value for one in known if plain(one.name) == plain(label.name)]
        if label.value in alike:
            found[label.value] = label.value
        elif len(alike) == 1:
            found[label.value] = alike[0]
    return found
