"""Made-up people in the layout of the nine-slice benchmark's data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from conftest import a_head

from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.writing import write_volume


def write_people(folder: Path, people: Mapping[str, str], shape: tuple[int, int, int] = (30, 28, 26)) -> OasisFolder:
    """Heads of slightly different sizes, by name and split, with two structures and one voxel that is none."""
    for number, (person, split) in enumerate(people.items()):
        image, labels = a_head((shape[0] + number, *shape[1:]))
        grid = Grid(image.shape, np.eye(4))
        labels[0, 0, 0] = 44
        place = folder / ("unlabelled" if split == "unlabelled" else "labelled") / person
        write_volume(place / f"{person}_T1w.nii.gz", image, grid)
        if split != "unlabelled":
            write_volume(place / f"{person}_dseg.nii.gz", labels.astype(np.uint8), grid)
    rows = [f"{person}\t{split}" for person, split in people.items()]
    (folder / "participants.tsv").write_text("\n".join(["participant_id\tsplit", *rows]))
    (folder / "dseg.tsv").write_text("index\tname\tsubcortical\n3\tBall\t1\n7\tOther ball\t1\n44\tWhite matter\t0\n")
    return OasisFolder(folder)
