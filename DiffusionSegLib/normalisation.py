"""Intensities as the denoiser knows them, and where there is tissue at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.body import body_mask

AIR = -1.0
# Above the noise of air, below the darkest tissue: 2 % of the brightest.
TISSUE_ABOVE = -0.96
LARGEST_GAP_VOXELS = 3
# Of the brightest voxel, and of all voxels that are not 0. Splines overshoot by less, or in fewer voxels.
LITTLE_BELOW, FEW_BELOW = 0.01, 0.1


@dataclass(frozen=True)
class Normalisation:
    """Scales each channel to [-1, 1] (Cho et al., section 3.1).

    Args:
        percentile: this percentile of positive intensities (MR) or of the body (CT) becomes 1; what is brighter too.
        ct_window: Hounsfield units that become -1 and 1 before the percentile is taken.
    """

    percentile: float = 99.5
    ct_window: tuple[float, float] = (-1000.0, 1000.0)

    def apply(self, data: np.ndarray, modality: str, known: int | None = None) -> np.ndarray:
        """Channels (C, I, J, K) scaled; zero and less (MR) or the window's lower end (CT) become -1.

        Args:
            data: the channels; for CT in RAS order.
            modality: "mr" or "ct".
            known: how many of them, the first ones, are of that modality; all if not given. Of the others nothing is
                known, and they are scaled as MR is.
        """
        modalities = [modality if known is None or number < known else "mr" for number in range(len(data))]
        return np.stack([self._channel(*of_channel) for of_channel in zip(data, modalities, strict=True)])

    def _channel(self, channel: np.ndarray, modality: str) -> np.ndarray:
        positive = channel - self.ct_window[0] if modality == "ct" else channel
        if modality == "ct":
            positive = np.minimum(positive, self.ct_window[1] - self.ct_window[0])
        positive = np.maximum(positive, 0)
        body = body_mask(channel) if modality == "ct" else None
        bright = positive[body] if body is not None and body.any() else positive[positive > 0]
        scale = np.percentile(bright, self.percentile) if len(bright) else 1.0
        return np.clip(2 * positive / scale - 1, -1, 1).astype(np.float32)


def is_much_below_zero(channel: np.ndarray) -> bool:
    """Whether much of an MR scan's tissue, or all of it, lies clearly below zero.

    There it counts as air: half of it where intensities were brought to a mean of 0, for example.
    """
    brightest = channel.max(initial=0)
    below = np.count_nonzero(channel < -LITTLE_BELOW * brightest)
    return bool(below > FEW_BELOW * np.count_nonzero(channel))


def foreground_mask(normalised: np.ndarray) -> np.ndarray:
    """Which voxels are not air: bool (I, J, K) from channels (C, I, J, K) in [-1, 1].

    Holes and small gaps count as tissue, so that ventricles and airways within the body can be segmented.
    """
    image = sitk.GetImageFromArray((normalised.max(0) > TISSUE_ABOVE).astype(np.uint8))
    # Specks of noise in the air would enlarge all that is computed: only pieces of a size count.
    pieces = sitk.RelabelComponent(
        sitk.ConnectedComponent(image), minimumObjectSize=max(image.GetNumberOfPixels() // 2000, 1)
    )
    closed = sitk.BinaryMorphologicalClosing(pieces > 0, [LARGEST_GAP_VOXELS] * 3)
    return sitk.GetArrayFromImage(sitk.BinaryFillhole(closed)).astype(bool)
