"""Bundles of denoisers that others have published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DiffusionSegLib.bundles.bundle import BundleConfig
from DiffusionSegLib.bundles.description import CONFIG
from DiffusionSegLib.bundles.export import write_bundle
from DiffusionSegLib.diffusion.layouts import BRAINTUMOR_128, GUIDED_DIFFUSION_256, read_checkpoint
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.unet import UNetConfig
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.feature_config import FeatureConfig


@dataclass(frozen=True)
class PublishedDenoiser:
    """A denoiser whose checkpoints others have published, with the features that its users took from it.

    Args:
        description: what it was trained on, in a sentence.
        unet: its shape.
        schedule: the forward process it was trained with.
        features: time steps and decoder blocks.
        grey: it was trained on colours and shall see grey slices.
    """

    description: str
    unet: UNetConfig
    schedule: NoiseSchedule
    features: FeatureConfig
    grey: bool


PUBLISHED = {
    # Time steps and blocks of Cho et al., section 3.1.
    "guided-diffusion-256": PublishedDenoiser(
        "The unconditional denoiser of Dhariwal & Nichol 2021 for natural images of 256 x 256 pixels.",
        GUIDED_DIFFUSION_256,
        NoiseSchedule(),
        FeatureConfig(time_steps=(50, 150, 250), blocks=(5, 6, 7, 8, 12)),
        grey=True,
    ),
    # Those of Alshenoudy et al.
    "braintumor-ddpm": PublishedDenoiser(
        "The denoiser of Alshenoudy et al. 2023 for T1, T1 with contrast agent, T2 and FLAIR of brain tumours.",
        BRAINTUMOR_128,
        NoiseSchedule(steps=4000, kind="cosine"),
        FeatureConfig(time_steps=(200,), blocks=(16, 17, 18)),
        grey=False,
    ),
}


@dataclass(frozen=True)
class PublishedBundle:
    """A bundle to be made of a published checkpoint.

    Args:
        layout: which of the `PUBLISHED` it is.
        name: what the bundle is called.
        licence: of its weights.
        spacing_mm: edge of the voxels that it shall see.
        modality: "mr" or "ct".
    """

    layout: str
    name: str
    licence: str
    spacing_mm: float
    modality: Literal["mr", "ct"]

    def write(self, checkpoint: Path, out: Path) -> None:
        """Read the checkpoint, nothing in which is executed, and write the bundle to the folder `out`.

        Raises:
            DiffusionSegError: if the checkpoint is unreadable or of another layout, or the folder holds a bundle.
        """
        if (out / CONFIG).exists():
            raise DiffusionSegError(f"The folder {out} holds a bundle already.", "Choose another folder.")
        published = PUBLISHED[self.layout]
        unet = read_checkpoint(checkpoint, published.unet, grey=published.grey)
        config = BundleConfig(
            name=self.name,
            description=published.description,
            licence=self.licence,
            unet=unet.config,
            schedule=published.schedule,
            target="epsilon",
            shared=True,
            spacing_mm=self.spacing_mm,
            modality=self.modality,
            features=published.features,
            told_view=False,
        )
        weights = {f"models.0.{name}": weight for name, weight in unet.state_dict().items()}
        card = f"# {self.name}\n\n{published.description} Made from {checkpoint.name}.\n\nLicence: {self.licence}\n"
        write_bundle(out, config, weights, card)
