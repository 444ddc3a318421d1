"""Pretrained denoisers with everything needed to use them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from DiffusionSegLib.bundles.config_check import check_config
from DiffusionSegLib.bundles.description import WEIGHTS, of_bundled, read_card, read_config
from DiffusionSegLib.configuration import from_json
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNetConfig
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.template import Template

DEFAULT_BUNDLE = "brain-t1"
TEMPLATE = "template.nii.gz"
# Another one whenever other features follow from the same weights, settings and template.
FEATURES_VERSION = b"2"
# Settings that features follow from, beside those that say which are taken.
OF_FEATURES = ("unet", "schedule", "shared", "told_view", "spacing_mm", "modality")


@dataclass(frozen=True)
class BundleConfig:
    """What a bundle's `config.json` says.

    Args:
        name: what the bundle is called.
        description: what it is for, in a sentence.
        licence: of the weights.
        unet: the denoiser's shape.
        schedule: the forward process it was trained with.
        target: what it predicts.
        shared: one denoiser for all views, or one each.
        spacing_mm: edge of the voxels it was trained on.
        modality: "mr" or "ct".
        features: which features to take from it, unless told otherwise.
        told_view: whether a shared denoiser is told which view it sees; those that others have published are not.
    """

    name: str
    description: str
    licence: str
    unet: UNetConfig
    schedule: NoiseSchedule
    target: Literal["epsilon", "v"]
    shared: bool
    spacing_mm: float
    modality: Literal["mr", "ct"]
    features: FeatureConfig
    told_view: bool = True


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A folder of `config.json`, `model.safetensors`, `MODEL_CARD.md` and, where positions are features, a template.

    Args:
        folder: where they are.
        config: the content of `config.json`.
        random_seed: if given, weights are drawn at random instead: what is left without pretraining.
    """

    folder: Path
    config: BundleConfig
    random_seed: int | None = None

    @classmethod
    def load(cls, folder: Path) -> ModelBundle:
        """Read a bundle's settings; its weights follow when they are needed.

        Raises:
            DiffusionSegError: if the folder holds no bundle or a damaged one.
        """
        config = from_json(BundleConfig, read_config(folder))
        check_config(config)
        return cls(folder, config)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def licence(self) -> str:
        return self.config.licence

    @property
    def card(self) -> str:
        """The model card in Markdown; empty if there is none."""
        return read_card(self.folder)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that features follow from but for which are taken; segmenters remember it."""
        # As they stand in the file, so that settings which a later version adds leave it as it is.
        settings = {name: value for name, value in read_config(self.folder).items() if name in OF_FEATURES}
        found = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        found.update(self.weights_digest)
        if (self.folder / TEMPLATE).exists():
            found.update(_digest_of(self.folder / TEMPLATE))
            found.update(FEATURES_VERSION)
        return found.hexdigest()

    @cached_property
    def weights_digest(self) -> bytes:
        """SHA-256 of the weights, those that are drawn at random told by their seed; nothing where they are missing."""
        if self.random_seed is not None:
            return hashlib.sha256(f"random weights, seed {self.random_seed}".encode()).digest()
        return _digest_of(self._weights) if self._weights.exists() else b""

    def untrained(self, seed: int) -> ModelBundle:
        """The same denoiser before any pretraining."""
        return replace(self, random_seed=seed)

    def denoisers(self) -> Denoisers:
        """The denoiser(s), ready to be evaluated, in float32 on the CPU.

        Raises:
            DiffusionSegError: if the weights are unreadable or do not fit the settings.
        """
        denoisers = self._read_denoisers() if self.random_seed is None else self._random_denoisers(self.random_seed)
        return denoisers.eval().requires_grad_(False)

    @cached_property
    def template(self) -> Template:
        """The average scan that others are aligned to.

        Raises:
            DiffusionSegError: if the bundle has none.
        """
        return Template.load(self.folder / TEMPLATE)

    @property
    def _weights(self) -> Path:
        return self.folder / WEIGHTS

    def _new_denoisers(self) -> Denoisers:
        return Denoisers(self.config.unet, shared=self.config.shared, told_view=self.config.told_view)

    def _random_denoisers(self, seed: int) -> Denoisers:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            denoisers = self._new_denoisers()
            _draw_zeroed_weights(denoisers)
        return denoisers

    def _read_denoisers(self) -> Denoisers:
        # Weights that would be replaced are not even drawn: those of the paper's denoiser take 2 GB and 13 s.
        with torch.device("meta"):
            denoisers = self._new_denoisers()
        try:
            tensors = load_file(self._weights)
            denoisers.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
        except (OSError, SafetensorError) as error:
            message = f"The weights of the bundle {self.name} cannot be read."
            raise DiffusionSegError(message, "Install the bundle again.") from error
        except RuntimeError as error:
            message = f"The weights of the bundle {self.name} do not match its config.json."
            raise DiffusionSegError(message, "Install the bundle again.") from error
        return denoisers


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def bundled() -> list[ModelBundle]:
    """The bundles that come with the package; damaged ones are left out."""
    return of_bundled(ModelBundle.load)


def find_bundle(name_or_folder: str) -> ModelBundle:
    """The bundle of that name that comes with the package, or the one in that folder.

    Raises:
        DiffusionSegError: if there is neither.
    """
    found = {bundle.name: bundle for bundle in bundled()}
    # By name first: results kept in a folder of a bundle's name must not hide it.
    if name_or_folder in found:
        return found[name_or_folder]
    if Path(name_or_folder).is_dir():
        return ModelBundle.load(Path(name_or_folder))
    message = f"There is no readable model bundle {name_or_folder}."
    known = f" or one of: {', '.join(found)}" if found else ""
    hint = f"Name a bundle's folder{known}; if it came with DiffusionSeg, install that again."
    raise DiffusionSegError(message, hint)


def _draw_zeroed_weights(denoisers: nn.Module) -> None:
    # Residual branches start at zero for training's sake; without training they would hide what random features give.
    for module in denoisers.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and not module.weight.any():
            module.reset_parameters()
