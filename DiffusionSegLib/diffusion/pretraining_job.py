"""Pretraining from files to a bundle."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
import torch

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.bundles.bundle import TEMPLATE, BundleConfig, ModelBundle
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.diffusion.denoiser_check import check_denoiser, check_start
from DiffusionSegLib.diffusion.guidance import image_with_positions, labelmap_with_positions
from DiffusionSegLib.diffusion.pretraining import Pretraining
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.training_files import found_files, found_scans
from DiffusionSegLib.diffusion.training_record import claim_folder
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.memory_shortage import shortage_told, training_memory_problem
from DiffusionSegLib.model_grid import ModelGrid
from DiffusionSegLib.normalisation import AIR, Normalisation
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.reading import read_labelmap, read_volume
from DiffusionSegLib.template import Template
from DiffusionSegLib.template_building import build_template
from DiffusionSegLib.template_symmetry import symmetrised
from DiffusionSegLib.volume import Volume

# Within the bundle's folder.
TRAINING = "training"


@dataclass(frozen=True)
class PretrainingJob:
    """What to pretrain and what to call it.

    Args:
        config: how to train.
        name: what the bundle is called.
        licence: of its weights.
        modality: "mr" or "ct".
        start_from: denoisers whose weights to begin with.
        channels: how the names of the files of a scan's channels end; empty where a scan is one file.
    """

    config: PretrainingConfig
    name: str
    licence: str
    modality: Literal["mr", "ct"]
    start_from: ModelBundle | None = None
    channels: tuple[str, ...] = ()

    def run(
        self,
        images: Sequence[Path],
        labelmaps: Sequence[Path],
        out: Path,
        device: torch.device,
        progress: Progress = silent,
    ) -> None:
        """Train on files (or all files in folders) and write the bundle, samples and losses to `out`.

        Checkpoints lie in its folder `training`; a run that was stopped goes on from the last.

        Raises:
            DiffusionSegError: if the settings make no denoiser, it cannot begin with the weights given, there is no
                image or label map, a file cannot be read or shows nothing, or the folder holds another pretraining.
        """
        check_denoiser(self.config)
        start = None if self.start_from is None else self.start_from.denoisers()
        if start is not None:
            check_start(start, self.config)
        scans, map_files = found_scans(images, self.channels), found_files(labelmaps)
        if not scans:
            raise DiffusionSegError("There are no images to pretrain on.", "Name scans or a folder that holds some.")
        if labelmaps:
            self._check_label_maps(map_files)
        volumes, maps = [self._image(files) for files in scans], [self._labelmap(path) for path in map_files]
        weights = self.start_from.weights_digest.hex() if self.start_from else ""
        claim_folder(out / TRAINING, self.config, volumes, maps, weights)
        if self.config.position_weight:
            volumes, maps = self._with_positions(volumes, maps, out / TRAINING / TEMPLATE, progress)
        pretraining = Pretraining(volumes, maps, self.config, device)
        if start is not None:
            pretraining.start_from(start)
        with shortage_told(training_memory_problem):
            pretraining.run(out / TRAINING, progress)
        if self.config.position_weight:
            with atomic_path(out / TEMPLATE) as part:
                shutil.copyfile(out / TRAINING / TEMPLATE, part)
        write_bundle(out, self._bundle_config(), pretraining.state.mean, self._card(len(volumes), len(maps)))
        with atomic_path(out / "samples.png") as part:
            sitk.WriteImage(sitk.GetImageFromArray(pretraining.samples()), str(part))

    def _check_label_maps(self, files: Sequence[Path]) -> None:
        """Raise a DiffusionSegError if nothing would come of the label maps that were asked for."""
        if not files:
            message = "There are no label maps to synthesise images from."
            raise DiffusionSegError(message, "Name some or a folder that holds some, or leave --label-maps out.")
        if not self.config.synthesised:
            message = f"In batches of {self.config.batch} slices is no image made from label maps."
            raise DiffusionSegError(message, "Choose a larger --batch, or leave --label-maps out.")

    def _image(self, files: Sequence[Path]) -> np.ndarray:
        volume = Volume.stack([read_volume(path) for path in files]).validate()
        raw = ModelGrid.for_grid(volume.grid, self.config.spacing_mm).to_model(volume.data)
        normalised = Normalisation().apply(raw, self.modality)
        if not (normalised[0] > AIR).any():
            raise DiffusionSegError(f"{files[0].name} shows nothing but air.", "Leave it out.")
        # Half precision: hundreds of brains fit into memory.
        return normalised.astype(np.float16)

    def _labelmap(self, path: Path) -> np.ndarray:
        labelmap, grid = read_labelmap(path)
        placed = ModelGrid.for_grid(grid, self.config.spacing_mm).labels_to_model(labelmap)
        if not placed.any():
            raise DiffusionSegError(f"{path.name} holds no labels that the model's voxels show.", "Leave it out.")
        # Which is which does not matter, and half precision, in which positions stand beside them, ends at 2048.
        values, numbers = np.unique(placed, return_inverse=True)
        numbered = numbers.reshape(placed.shape) + (values[0] != 0)
        return numbered[None].astype(np.int16)

    def _with_positions(
        self, volumes: list[np.ndarray], maps: list[np.ndarray], kept: Path, progress: Progress
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Images and label maps with the positions of their voxels in a template, kept for when training goes on."""
        spacing = self.config.spacing_mm
        if not kept.exists():
            template = build_template([volume[0] for volume in volumes], spacing, progress)
            if self.config.augmentation.flip:
                template = symmetrised(template, progress)
            with atomic_path(kept) as part:
                template.save(part)
        template = Template.load(kept)
        total = len(volumes) + len(maps)
        placed = []
        for number, volume in enumerate(volumes + maps):
            progress("alignment", number, total)
            add_positions = image_with_positions if number < len(volumes) else labelmap_with_positions
            placed.append(add_positions(volume, template, spacing))
        return placed[: len(volumes)], placed[len(volumes) :]

    def _bundle_config(self) -> BundleConfig:
        return BundleConfig(
            name=self.name,
            description=f"Denoisers of {self.modality.upper()} slices at {self.config.spacing_mm:g} mm{self._order()}.",
            licence=self.licence,
            unet=self.config.unet,
            schedule=self.config.schedule,
            target=self.config.target,
            shared=self.config.shared,
            spacing_mm=self.config.spacing_mm,
            modality=self.modality,
            features=FeatureConfig(coordinates="template" if self.config.position_weight else "box"),
        )

    def _order(self) -> str:
        """What whoever gives scans of several channels must know."""
        return f", of the channels {', '.join(self.channels)} in this order" if self.channels else ""

    def _card(self, images: int, labelmaps: int) -> str:
        return (
            f"# {self.name}\n\nPretrained on {images} images and {labelmaps} label maps, "
            f"{self.config.steps} steps of {self.config.batch} slices.\n\nLicence: {self.licence}\n"
        )
