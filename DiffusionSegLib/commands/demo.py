"""`diffusionseg demo`: the main job on a brain that comes with nilearn."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from DiffusionSegLib.commands.options import add_bundle, add_device, add_seed
from DiffusionSegLib.extras import of_extra
from DiffusionSegLib.labels import Label

if TYPE_CHECKING:
    from DiffusionSegLib.volume import Volume

LABELS = (Label(1, "Grey matter", (230, 120, 90)), Label(2, "White matter", (90, 170, 240)))


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("demo", help="nine painted slices of the MNI152 brain become the whole")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for scan, painting and results")
    add_bundle(parser)
    add_device(parser)
    add_seed(parser)
    parser.set_defaults(run=run, segmenter_out=None, keep_largest=[], combine="mean")


def run(arguments: argparse.Namespace) -> int:
    """Paint, segment, and print the Dice of the voxels that nobody painted."""
    from DiffusionSegLib.annotation_files import read_annotation, write_annotation
    from DiffusionSegLib.benchmark.painting import background_box, nine_slices, on_slices, painted_only
    from DiffusionSegLib.commands.segment import segment
    from DiffusionSegLib.reading import read_volume
    from DiffusionSegLib.writing import write_volume

    volume, reference = _brain()
    slices = nine_slices(reference)
    scan, painting = arguments.out / "scan.nii.gz", arguments.out / "painting.nii.gz"
    write_volume(scan, volume.data[0], volume.grid)
    write_annotation(
        painting,
        painted_only(reference, slices),
        volume.grid,
        complete_slices=slices,
        background_box=background_box(reference),
        labels=LABELS,
    )
    prediction = segment(read_volume(scan), read_annotation(painting), arguments)
    unpainted = ~on_slices(reference.shape, slices)
    for label in LABELS:
        predicted, true = (array[unpainted] == label.value for array in (prediction.labelmap, reference))
        dice = (
            2
            * np.count_nonzero(predicted & true)
            / np.count_nonzero(np.concatenate([predicted[predicted], true[true]]))
        )
        print(f"{label.name}: Dice {dice:.3f} on the voxels that were not painted")
    print(f"Look at {arguments.out / 'overlay.png'}")
    return 0


def _brain() -> tuple[Volume, np.ndarray]:
    """The MNI152 T1 average and its grey and white matter, each where it is the likelier and above one half."""
    with of_extra("demo", "The demo needs the package nilearn"):
        from nilearn.datasets import load_mni152_gm_template, load_mni152_template, load_mni152_wm_template
    from DiffusionSegLib.grid import Grid
    from DiffusionSegLib.volume import Volume

    image = load_mni152_template(resolution=1)
    grey, white = (load(resolution=1).get_fdata() for load in (load_mni152_gm_template, load_mni152_wm_template))
    reference = np.where(np.maximum(grey, white) > 0.5, np.where(white > grey, 2, 1), 0)
    data = image.get_fdata(dtype=np.float32)
    return Volume(data[None], Grid(image.shape, image.affine)), reference
