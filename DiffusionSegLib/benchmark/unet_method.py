"""A 2D U-Net, the same for the slices of all three views, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.benchmark.anatomical_order import AnatomicalOrder
from DiffusionSegLib.benchmark.annotated_slices import AnnotatedSlices
from DiffusionSegLib.benchmark.unet_training import SMALLEST_MULTIPLE, UNetTraining, new_unet, train_unet
from DiffusionSegLib.features.orthogonal import tissue_box
from DiffusionSegLib.normalisation import AIR, Normalisation, foreground_mask
from DiffusionSegLib.progress import Curve, unseen
from DiffusionSegLib.volume import Volume

# What the classes are read from: the one layer that denoising and segmenting do not share.
LAST_LAYER = "final_conv."
PREDICTION_BATCH = 8


@dataclass(frozen=True, eq=False)
class UNetScan:
    """A scan as the U-Net sees it.

    Args:
        order: between the scan's own order and that of the arrays.
        image: normalised intensities in RAS order.
        tissue: which voxels are not air.
    """

    order: AnatomicalOrder
    image: np.ndarray
    tissue: np.ndarray


@dataclass(frozen=True, eq=False)
class TrainedUNet:
    """A U-Net and the label values of its classes."""

    unet: nn.Module
    values: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class UNetMethod:
    """Learns from annotated slices alone, on scans that are on the model's grid already but for their order.

    Args:
        device: what computes.
        training: how a setting is learnt.
        start: weights to begin with, but for the last layer; drawn at random if not given.
        curve: told of the loss while it learns.
    """

    device: torch.device
    training: UNetTraining = field(default_factory=UNetTraining)
    start: Mapping[str, Tensor] | None = None
    curve: Curve = unseen

    def open(self, volume: Volume) -> UNetScan:
        order = AnatomicalOrder(volume.grid)
        image = order.apply(Normalisation().apply(volume.data, "mr")[0])
        return UNetScan(order, image, foreground_mask(image[None]))

    def train(self, scan: UNetScan, annotation: Annotation) -> TrainedUNet:
        values = annotation.classes
        labelmap = scan.order.apply(annotation.labelmap)
        classes = np.where(labelmap == UNKNOWN, UNKNOWN, np.searchsorted(values, labelmap))
        background = annotation.background_box is not None or bool(annotation.known.all())
        slices = AnnotatedSlices(scan.image, scan.tissue, classes, background=background)
        unet = new_unet(len(values), self.training.seed)
        if self.start is not None:
            unet.load_state_dict({**unet.state_dict(), **without_last_layer(self.start)})
        return TrainedUNet(train_unet(unet, slices, self.training, self.device, self.curve), values)

    def predict(self, scan: UNetScan, trained: TrainedUNet) -> np.ndarray:
        low, high = tissue_box(scan.tissue)
        box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
        probabilities = self._probabilities(torch.from_numpy(scan.image[box]), trained)
        found = np.asarray(trained.values, np.int32)[probabilities.argmax(0).numpy()]
        labelmap = np.zeros(scan.tissue.shape, np.int32)
        labelmap[box] = np.where(scan.tissue[box], found, 0)
        return scan.order.undo(labelmap)

    @torch.inference_mode()
    def _probabilities(self, image: Tensor, trained: TrainedUNet) -> Tensor:
        """Sum of the three views' probabilities: (classes, I, J, K), in half precision for the sake of memory."""
        total = torch.zeros(len(trained.values), *image.shape, dtype=torch.float16)
        for axis in range(3):
            slices = image.movedim(axis, 0)
            into = total.movedim(axis + 1, 1)
            height, width = slices.shape[1:]
            padding = (0, -width % SMALLEST_MULTIPLE, 0, -height % SMALLEST_MULTIPLE)
            for start in range(0, len(slices), PREDICTION_BATCH):
                part = F.pad(slices[start : start + PREDICTION_BATCH, None], padding, value=AIR)
                found = trained.unet(part.to(self.device)).softmax(1)[..., :height, :width]
                into[:, start : start + PREDICTION_BATCH] += found.movedim(0, 1).half().cpu()
        return total


def without_last_layer(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a U-Net can take over from one that has other outputs."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith(LAST_LAYER)}
