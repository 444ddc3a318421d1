"""The methods of the nine-slice benchmark by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from DiffusionSegLib.benchmark.denoising_pretraining import DenoisingConfig, denoising_start
from DiffusionSegLib.benchmark.log import log
from DiffusionSegLib.benchmark.methods import UNTRAINED_SEED, DiffusionMethod, ForestMethod, Method
from DiffusionSegLib.benchmark.oasis import OasisFolder
from DiffusionSegLib.benchmark.syn_method import SynMethod
from DiffusionSegLib.benchmark.unet_method import UNetMethod
from DiffusionSegLib.benchmark.unet_training import UNetTraining
from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.devices import choose_device
from DiffusionSegLib.session import SessionOptions

# Registration carries labels from voxel to voxel: few slices give it next to nothing to carry.
ONLY_WHOLE_VOLUMES = ("syn",)


@dataclass(frozen=True)
class Competitors:
    """Makes methods when their turn comes.

    Args:
        data: the benchmark's people.
        bundle: our denoisers.
        device: what computes.
        unet_steps: how long a U-Net learns a setting; None for as long as is usual.
        pretraining_steps: how long it is pretrained; None for as long as is usual.
        unet_weights: where the pretrained U-Net is kept, if anywhere.
    """

    data: OasisFolder
    bundle: ModelBundle
    device: str
    unet_steps: int | None = None
    pretraining_steps: int | None = None
    unet_weights: Path | None = None

    def make(self, name: str) -> Method:
        """The method of that name."""
        makers: dict[str, Callable[[], Method]] = {
            "ours": self._ours,
            "untrained": lambda: self._ours(bundle=self.bundle.untrained(UNTRAINED_SEED)),
            "forest": ForestMethod,
            "syn": SynMethod,
            "unet": self._unet,
            "unet-denoising": self._pretrained_unet,
        }
        return makers[name]()

    def _ours(self, **changes: Any) -> Method:
        """Our method, but for some of its options."""
        return DiffusionMethod(replace(SessionOptions(bundle=self.bundle, device=self.device), **changes))

    def _unet(self, start: Mapping[str, Tensor] | None = None) -> Method:
        training = UNetTraining()
        if self.unet_steps is not None:
            training = replace(training, steps=self.unet_steps)
        return UNetMethod(choose_device(self.device), training, start, _log_loss)

    def _pretrained_unet(self) -> Method:
        config = DenoisingConfig()
        if self.pretraining_steps is not None:
            config = replace(config, steps=self.pretraining_steps)
        device = choose_device(self.device)
        return self._unet(denoising_start(self.data.unlabelled(), config, device, self.unet_weights))


def _log_loss(step: int, loss: float, held_out: float | None) -> None:  # noqa: ARG001
    log(f"U-Net: step {step}, loss {loss:.3f}")
