"""Pretraining from files to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
import torch

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.bundles.bundle import BundleConfig
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import Normalisation
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.reading import NIBABEL_ENDINGS, SIMPLEITK_ENDINGS, read_labelmap, read_volume


@dataclass(frozen=True)
class PretrainingJob:
    """What to pretrain and what to call it.

    Args:
        config: how to train.
        name: what the bundle is called.
        licence: of its weights.
        modality: "mr" or "ct".
    """

    config: PretrainingConfig
    name: str
    licence: str
    modality: Literal["mr", "ct"]

    def run(
        self,
        images: Sequence[Path],
        labelmaps: Sequence[Path],
        out: Path,
        device: torch.device,
        progress: Progress = silent,
    ) -> None:
        """Train on files (or all files in folders) and write the bundle, samples and losses to `out`.

        Checkpoints lie in `out/training`; a run that was stopped goes on from the last.

        Raises:
            DiffusionSegError: if there is no image or one cannot be read.
        """
        volumes = [self._image(path) for path in found_files(images)]
        if not volumes:
            raise DiffusionSegError("There are no images to pretrain on.", "Name scans or a folder that holds some.")
        maps = [self._labelmap(path) for path in found_files(labelmaps)]
        pretraining = Pretraining(volumes, maps, self.config, device)
        pretraining.run(out / "training", progress)
        write_bundle(out, self._bundle_config(), pretraining.state.mean, self._card(len(volumes), len(maps)))
        with atomic_path(out / "samples.png") as part:
            sitk.WriteImage(sitk.GetImageFromArray(pretraining.samples()), str(part))

    def _image(self, path: Path) -> np.ndarray:
        volume = read_volume(path).validate()
        raw = ModelGrid.for_grid(volume.grid, self.config.spacing_mm).to_model(volume.data)
        # Half precision: hundreds of brains fit into memory.
        return Normalisation().apply(raw, self.modality).astype(np.float16)

    def _labelmap(self, path: Path) -> np.ndarray:
        labelmap, grid = read_labelmap(path)
        model_grid = ModelGrid.for_grid(grid, self.config.spacing_mm)
        points = model_grid.nearest_model_voxel(np.argwhere(labelmap > 0))
        placed = np.zeros((1, *model_grid.grid.shape), np.int16)
        placed[0][tuple(points.T)] = labelmap[labelmap > 0]
        return placed

    def _bundle_config(self) -> BundleConfig:
        blocks = FeatureConfig().blocks
        return BundleConfig(
            name=self.name,
            description=f"Denoisers of {self.modality.upper()} slices at {self.config.spacing_mm:g} mm.",
            licence=self.licence,
            unet=self.config.unet,
            schedule=self.config.schedule,
            target=self.config.target,
            shared=self.config.shared,
            spacing_mm=self.config.spacing_mm,
            modality=self.modality,
            features=FeatureConfig(blocks=blocks),
        )

    def _card(self, images: int, labelmaps: int) -> str:
        return (
            f"# {self.name}\n\nPretrained on {images} images and {labelmaps} label maps, "
            f"{self.config.steps} steps of {self.config.batch} slices.\n\nLicence: {self.licence}\n"
        )


def found_files(places: Sequence[Path]) -> list[Path]:
    """The files named, and those with a known ending anywhere below the folders named, sorted."""
    found = []
    for place in places:
        if place.is_dir():
            below = (
                path for path in place.rglob("*") if path.name.lower().endswith((*NIBABEL_ENDINGS, *SIMPLEITK_ENDINGS))
            )
            found += sorted(below)
        else:
            found.append(place)
    return found
