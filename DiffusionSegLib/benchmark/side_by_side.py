"""Several methods on the validation person, a few lines each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from DiffusionSegLib.benchmark.comparison import compare
from DiffusionSegLib.benchmark.methods import Method
from DiffusionSegLib.benchmark.oasis import VALIDATION, OasisFolder
from DiffusionSegLib.benchmark.scores import HEADER


def print_side_by_side(data: OasisFolder, settings: Sequence[str], methods: Iterable[tuple[str, Method]]) -> None:
    """Print the lines of each method, with its name, as soon as it is measured; the next one is then made."""
    print(HEADER, flush=True)  # noqa: T201
    for name, method in methods:
        for row in compare(name, method, data, settings, data.people(VALIDATION)):
            print(row.markdown(), flush=True)  # noqa: T201
