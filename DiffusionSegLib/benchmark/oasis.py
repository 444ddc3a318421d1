"""The people of the nine-slice benchmark."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.labels import Label
from DiffusionSegLib.reading import read_labelmap, read_volume
from DiffusionSegLib.volume import Volume

TRAIN, VALIDATION, UNLABELLED = "train", "validation", "unlabelled"
# Left out of Avg+ and of Avg++ (Cho et al., section 3.2): a handful of voxels each.
FIFTH_VENTRICLE = 15
OPTIC_CHIASM = 69


@dataclass(frozen=True)
class OasisFolder:
    """Brains with and without labels: `labelled/`, `unlabelled/`, `dseg.tsv`, and the splits in `participants.tsv`.

    Args:
        folder: where they are.
    """

    folder: Path

    def structures(self) -> tuple[Label, ...]:
        """The subcortical structures that are segmented."""
        rows = [row for row in self._table("dseg.tsv") if row["subcortical"] == "1"]
        generic = [Label.generic(int(row["index"])) for row in rows]
        return tuple(Label(label.value, row["name"], label.color) for label, row in zip(generic, rows, strict=True))

    def people(self, split: str) -> list[str]:
        """Who is in "train", "validation", "test" or "unlabelled"."""
        return [row["participant_id"] for row in self._table("participants.tsv") if row["split"] == split]

    def read(self, person: str) -> tuple[Volume, np.ndarray]:
        """The T1 scan and its reference (I, J, K), in which everything but the structures is background."""
        stem = self.folder / "labelled" / person / person
        labelmap, _ = read_labelmap(stem.with_name(f"{person}_dseg.nii.gz"))
        kept = np.isin(labelmap, [label.value for label in self.structures()])
        return read_volume(stem.with_name(f"{person}_T1w.nii.gz")), np.where(kept, labelmap, 0)

    def unlabelled(self) -> list[Volume]:
        """The scans of the people without labels."""
        return [
            read_volume(self.folder / UNLABELLED / person / f"{person}_T1w.nii.gz")
            for person in self.people(UNLABELLED)
        ]

    def _table(self, name: str) -> list[dict[str, str]]:
        try:
            with (self.folder / name).open(newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file, delimiter="\t"))
        except OSError as error:
            message = f"{self.folder} does not hold the benchmark's data: {name} is missing."
            raise DiffusionSegError(
                message, "Give the folder with labelled/, dseg.tsv and participants.tsv."
            ) from error
