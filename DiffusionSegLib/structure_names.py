"""Which structures are the same, by what they are called."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegLib.labels import Label


def plain(name: str) -> str:
    """A name without what is no matter of meaning: capitals, and spaces around and between words."""
    return " ".join(name.split()).casefold()


def values_among(known: Sequence[Label], labels: Sequence[Label]) -> dict[int, int]:
    """By each label's value that of the same structure among the known ones, each once; the others are left out.

    Names tell which they are, and values only of labels without a name, or where several have the same: nearly all
    segmenters have the values from 1 on, and other structures must not be taken for theirs.
    """
    found: dict[int, int] = {}
    for label in sorted(labels, key=lambda label: label.value not in _alike(known, label)):
        alike = _alike(known, label)
        if label.value in alike:
            found[label.value] = label.value
        elif len(alike) == 1 and alike[0] not in found.values():
            found[label.value] = alike[0]
    return found


def has_no_name(label: Label) -> bool:
    """Whether a label is known by its value alone."""
    return label.name == Label.generic(label.value).name


def _alike(known: Sequence[Label], label: Label) -> list[int]:
    """The values of those that have the label's name, or of that which has its value if it has none."""
    alike = [one.value for one in known if plain(one.name) == plain(label.name)]
    return alike or [one.value for one in known if has_no_name(label) and one.value == label.value]
