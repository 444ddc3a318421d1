"""Running the denoiser over all slices of a view."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from threading import Lock

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.crew import Crew
from DiffusionSegLib.devices import give_back_cache
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.schedule import NoiseSchedule
from DiffusionSegLib.diffusion.slice_source import VIEW_AXES
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.device_tier import DEVICE_TIER
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.interpolation import pixels_along
from DiffusionSegLib.features.kept_views import KeptViews
from DiffusionSegLib.features.needed_pixels import NeededPixels
from DiffusionSegLib.memory_shortage import is_memory_shortage
from DiffusionSegLib.normalisation import AIR
from DiffusionSegLib.precision import converted, inference_precision
from DiffusionSegLib.progress import Progress, silent

# Pixels at work at a time: enough for a GPU, little enough for a few hundred megabytes of activations.
BATCH_PIXELS = {"cpu": 8 * 160 * 192, "cuda": 64 * 256 * 256}
NOISE_EDGE = 512


class ActivationExtractor:
    """Turns a normalised volume into the activations of its slices.

    Args:
        denoisers: the denoiser(s), on the device that computes.
        schedule: the forward process they were trained with.
        config: which features to take.
        kept_as: half precision halves what a scan takes, and rounds by one part in two thousand.
    """

    def __init__(
        self,
        denoisers: Denoisers,
        schedule: NoiseSchedule,
        config: FeatureConfig,
        *,
        kept_as: torch.dtype = torch.float16,
    ) -> None:
        if max(config.blocks) >= denoisers.unet.config.decoder_blocks:
            message = f"The denoiser has no decoder block {max(config.blocks)}."
            raise DiffusionSegError(message, f"Choose blocks below {denoisers.unet.config.decoder_blocks}.")
        self.denoisers, self.schedule, self.config, self.kept_as = denoisers, schedule, config, kept_as
        self.device = next(denoisers.parameters()).device
        precision = inference_precision(self.device, kept_as)
        # Weights of their own, because those of autocast are converted again for every batch, and what lies between
        # convolutions stays in single precision there.
        self._quickest = denoisers if precision == torch.float32 else deepcopy(denoisers).to(precision)
        self._pixels = BATCH_PIXELS[self.device.type] // Crew(self.device).size

    def slices_at_a_time(self, rows: int, columns: int) -> int:
        """How many slices of a size are computed at a time by each thread; fewer once the memory was short."""
        return max(1, self._pixels // (rows * columns))

    def extract(
        self,
        volume: np.ndarray,
        tissue: np.ndarray,
        progress: Progress = silent,
        kept: KeptViews | None = None,
    ) -> list[ViewActivations]:
        """Activations of each chosen view where tissue is interpolated from them; 0 elsewhere.

        Args:
            volume: shape (channels, I, J, K), in [-1, 1]; padded with -1 as needed. The denoiser sees as many channels
                as it was made for, the first ones.
            tissue: which of its voxels are not air, bool (I, J, K).
            progress: told how many slices are done.
            kept: given each view as soon as it is finished; those that it has are not computed.
        """
        seen = volume[: self.denoisers.unet.config.channels_in]
        data = torch.from_numpy(np.ascontiguousarray(seen, dtype=np.float32))
        marked, box = torch.from_numpy(tissue), bounding_box(tissue)
        # Those of the scan before make room for what is at work.
        DEVICE_TIER.clear()
        give_back_cache(self.device)
        with Crew(self.device) as crew:
            views = [
                _ViewSlices(axis, data.movedim(axis + 1, 0), marked.movedim(axis, 0), box[axis])
                for axis in (VIEW_AXES[view] for view in self.config.views)
            ]
            parts = [self._parts(view, crew.size) for view in views]
            found = []
            for number, view in enumerate(views):
                known = None if kept is None else kept.load(self.config, number)
                if known is None:
                    before, total = sum(map(len, parts[:number])), sum(map(len, parts))
                    # Called before the loop goes on, while they are what they were.
                    crew.each(self._fill, parts[number], lambda done: progress("features", before + done, total))  # noqa: B023
                    known = ViewActivations(view.axis, view.levels)
                    if kept is not None:
                        kept.save(self.config, number, known)
                found.append(known)
        give_back_cache(self.device)
        return found

    def _parts(self, view: _ViewSlices, hands: int) -> list[Part]:
        first, past = view.needed
        batch = min(self.slices_at_a_time(*view.slices.shape[2:]), math.ceil((past - first) / hands))
        return [(view, start, min(start + batch, past)) for start in range(first, past, batch)]

    @torch.inference_mode()
    def _fill(self, part: Part) -> None:
        """Find the activations of the slices from one to another; where memory is short, of fewer at a time."""
        view, start, stop = part
        while start < stop:
            batch = min(self.slices_at_a_time(*view.slices.shape[2:]), stop - start)
            found = self._tried(view.slices[start : start + batch], view.axis)
            if found is not None:
                view.put(start, found)
                start += batch

    def _tried(self, slices: Tensor, view: int) -> dict[int, Tensor] | None:
        """Activations of slices; None where the memory is short, and then fewer pixels are at work from now on."""
        try:
            return self._slices(slices, view)
        except (RuntimeError, MemoryError) as error:
            if len(slices) == 1 or not is_memory_shortage(error):
                raise
        # Not while the error lasts, which holds what was at work.
        give_back_cache(self.device)
        fewer = len(slices) // 2
        self._pixels = min(self._pixels, fewer * slices.shape[2] * slices.shape[3])
        message = f"The memory is short: {fewer} slices are computed at a time, which is slower."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
        return None

    def _slices(self, slices: Tensor, view: int) -> dict[int, Tensor]:
        found = self._computed(self._quickest, slices, view)
        if self._quickest is not self.denoisers and not all(level.isfinite().all() for level in found.values()):
            # Other networks than ours may go beyond what half precision has numbers for.
            found = self._computed(self.denoisers, slices, view)
        return {reduction: level.cpu() for reduction, level in found.items()}

    def _computed(self, denoisers: Denoisers, slices: Tensor, view: int) -> dict[int, Tensor]:
        """Activations of slices on the device, as they are kept, by denoisers of some precision."""
        unet, precision = denoisers.unet, next(denoisers.parameters()).dtype
        height, width = slices.shape[2:]
        multiple = unet.config.reduction
        padding = (0, -width % multiple, 0, -height % multiple)
        images = F.pad(slices, padding, value=AIR).to(self.device)
        noise = shared_noise(images.shape[1], images.shape[2:], self.config.noise_seed).to(self.device)
        noise *= self.config.noise_scale
        found: dict[int, list[Tensor]] = {}
        for time_step in self.config.time_steps:
            step = torch.tensor([time_step], device=self.device)
            noised = self.schedule.noised(images, step, noise).to(precision)
            outputs = denoisers.activations(noised, step, view, self.config.blocks)
            for block in sorted(outputs):
                reduction = unet.block_reductions[block]
                rows, columns = pixels_along(height, reduction), pixels_along(width, reduction)
                kept = converted(outputs[block].permute(0, 2, 3, 1)[:, :rows, :columns], self.kept_as)
                found.setdefault(reduction, []).append(kept)
        return {reduction: torch.cat(parts, dim=-1) for reduction, parts in found.items()}


class _ViewSlices:
    """The slices of a view and what is found of them.

    Args:
        axis: the axis of the grid that they are stacked along.
        slices: shape (slices, channels, rows, columns).
        tissue: which of their voxels are not air, bool (slices, rows, columns).
        needed: the first of them that is computed, and the one after the last.
    """

    def __init__(self, axis: int, slices: Tensor, tissue: Tensor, needed: tuple[int, int]) -> None:
        self.axis, self.slices, self.tissue, self.needed = axis, slices, tissue, needed
        self.levels: dict[int, NeededPixels] = {}
        self._one_at_a_time = Lock()

    def put(self, start: int, found: dict[int, Tensor]) -> None:
        """Take in the activations of some slices, from `start` on."""
        for reduction, level in found.items():
            with self._one_at_a_time:
                if reduction not in self.levels:
                    room = NeededPixels.empty(self.tissue, reduction, level.shape[1:], level.dtype)
                    self.levels[reduction] = room
            self.levels[reduction].put(start, level)


# A view, the first of its slices and the one after the last.
Part = tuple[_ViewSlices, int, int]


def shared_noise(channels: int, size: torch.Size, seed: int) -> Tensor:
    """The noise image (1, channels, height, width) that all slices share: the middle of a larger one."""
    edge = max(NOISE_EDGE, *size)
    noise = torch.randn(1, channels, edge, edge, generator=torch.Generator().manual_seed(seed))
    top, left = (edge - size[0]) // 2, (edge - size[1]) // 2
    return noise[:, :, top : top + size[0], left : left + size[1]]
