"""Pretraining of denoisers on unlabelled images."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.diffusion.augmentation import moved, recoloured
from DiffusionSegLib.diffusion.batches_ahead import Batch, batches_ahead
from DiffusionSegLib.diffusion.denoiser_check import check_start
from DiffusionSegLib.diffusion.denoisers import Denoisers
from DiffusionSegLib.diffusion.pretraining_config import PretrainingConfig
from DiffusionSegLib.diffusion.slice_source import VIEW_AXES, SliceSource
from DiffusionSegLib.diffusion.synthesis import coarsened, synthesised
from DiffusionSegLib.diffusion.training_state import TrainingState
from DiffusionSegLib.precision import trains_in_bfloat16
from DiffusionSegLib.progress import Progress, silent

# Air is -1; the margin is for rounding.
AIR = -0.99
# Steps between two looks at the losses: a GPU that is asked for one idles until it is told of the next step.
TOLD_EVERY = {"cpu": 1, "cuda": 25}
# How many of the last losses are told the mean of.
TOLD = 50
LOSSES = "losses.jsonl"


class Pretraining:
    """A pretraining that can stop after any step and go on later as if it had not.

    Args:
        images: normalised volumes on the model's grid, (channels, I, J, K) in [-1, 1].
        labelmaps: label maps (1, I, J, K) to synthesise further images from; may be empty.
            Where the configuration weighs positions, three more channels of both hold them.
        config: how to train.
        device: where to train.
    """

    def __init__(
        self,
        images: list[np.ndarray],
        labelmaps: list[np.ndarray],
        config: PretrainingConfig,
        device: torch.device,
    ) -> None:
        self.config, self.device = config, device
        self.images = SliceSource(images, outside=-1)
        self.labelmaps = SliceSource(labelmaps, outside=0) if labelmaps else None
        torch.manual_seed(config.seed)
        model = Denoisers(config.unet, shared=config.shared).to(device)
        if device.type == "cpu":
            _let_ctrl_c_through(model)
        fused = True if device.type == "cuda" else None
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.01, fused=fused)
        self.state = TrainingState(model, optimizer, config.ema_decay)

    def start_from(self, denoisers: Denoisers) -> None:
        """Begin with the weights of denoisers of the same shape instead of random ones.

        Outputs beyond theirs (the positions) keep their first weights.

        Raises:
            DiffusionSegError: if the shapes differ otherwise.
        """
        check_start(denoisers, self.config)
        model = self.state.model
        given = denoisers.state_dict()
        with torch.no_grad():
            for name, value in model.state_dict().items():
                value[: len(given[name])] = given[name]
        self.state = TrainingState(model, self.state.optimizer, self.config.ema_decay)

    def run(self, folder: Path, progress: Progress = silent) -> None:
        """Train from the last checkpoint in `folder`, if there is one, to the end; losses go to `losses.jsonl`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.state.load(folder)
        losses: list[Tensor] = []
        told = ""
        with closing(self.learn()) as learning:
            for loss in learning:
                losses.append(loss)
                if not told or self.state.step % TOLD_EVERY[self.device.type] == 0:
                    told = f"pretraining, loss {_mean(losses[-TOLD:]):.4f}"
                progress(told, self.state.step, self.config.steps)
                if self.state.step % self.config.save_every == 0 or self.state.step == self.config.steps:
                    self.state.save(folder)
                    _append(folder / LOSSES, {"step": self.state.step, "loss": _mean(losses)})
                    losses.clear()

    def learn(self) -> Generator[Tensor, None, None]:
        """Take the steps that are left, giving the loss of each; what one draws depends on seed and number alone."""
        left = range(self.state.step, self.config.steps)
        with closing(batches_ahead(self._batch, left, self.device)) as batches:
            for batch in batches:
                yield self._learnt(batch)

    def _learnt(self, batch: Batch) -> Tensor:
        """The loss of one step, which a GPU may still be busy with."""
        for group in self.state.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.state.step)
        images, positions, views, time_steps, noise = batch
        schedule = self.config.schedule
        goal = noise if self.config.target == "epsilon" else schedule.velocity(images, time_steps, noise)
        noised = schedule.noised(images, time_steps, noise)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=trains_in_bfloat16(self.device)):
            prediction = self.state.model(noised, time_steps, views).float()
        loss = torch.mean((prediction[:, : images.shape[1]] - goal) ** 2)
        if self.config.position_weight:
            tissue = (images > AIR).any(dim=1, keepdim=True)
            errors = (prediction[:, images.shape[1] :] - positions).abs() * tissue
            loss = loss + self.config.position_weight * errors.mean()
        self.state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.state.model.parameters(), self.config.clip)
        self.state.optimizer.step()
        self.state.count_step()
        return loss.detach()

    @torch.no_grad()
    def samples(self) -> np.ndarray:
        """Images, noised, and restored by the running mean of the weights, below each other: uint8 (rows, columns)."""
        images, _, views, time_steps, noise = (part.to(self.device) for part in self._batch(self.config.steps))
        denoisers = Denoisers(self.config.unet, shared=self.config.shared).to(self.device)
        denoisers.load_state_dict(self.state.mean)
        noised = self.config.schedule.noised(images, time_steps, noise)
        predicted = denoisers.eval()(noised, time_steps, views)[:, : images.shape[1]]
        restored = self.config.schedule.denoised(noised, time_steps, predicted, self.config.target)
        rows = [torch.cat(list(part[:, 0]), dim=1) for part in (images, noised, restored)]
        return ((torch.cat(rows).clamp(-1, 1) + 1) * 127.5).byte().cpu().numpy()

    def _learning_rate(self, step: int) -> float:
        share = step / self.config.steps
        decay = 0.1 + 0.45 * (1 + math.cos(math.pi * share))
        return self.config.learning_rate * min(1.0, (step + 1) / (0.02 * self.config.steps + 1)) * decay

    def _batch(self, step: int) -> Batch:
        """Images, their positions (no channels where these do not count), views, time steps and noise."""
        config = self.config
        numbers = np.random.default_rng((config.seed, step))
        random = torch.Generator().manual_seed(int(numbers.integers(2**62)))
        made = config.synthesised if self.labelmaps else 0
        crops, views = self._crops(self.images, config.batch - made, numbers, random, "bilinear")
        images, positions = crops.tensor_split([config.unet.channels_in], dim=1)
        if self.labelmaps and made:
            crops, more_views = self._crops(self.labelmaps, made, numbers, random, "nearest")
            sharp = synthesised(crops[:, :1], config.unet.channels_in, random)
            images = torch.cat([images, coarsened(sharp, config.augmentation.thickness, random)])
            positions = torch.cat([positions, crops[:, 1:]])
            views = torch.cat([views, more_views])
        images = recoloured(images, config.augmentation, random)
        # A sagittal slice does not show which side it is from: only how far from the middle can be learnt.
        positions[views == VIEW_AXES["sagittal"], :1] = positions[views == VIEW_AXES["sagittal"], :1].abs()
        time_steps = torch.randint(config.highest_time_step, (len(images),), generator=random)
        return images, positions, views, time_steps, torch.randn(images.shape, generator=random)

    def _crops(
        self, source: SliceSource, count: int, numbers: np.random.Generator, random: torch.Generator, mode: str
    ) -> tuple[Tensor, Tensor]:
        """Crops of a source, moved, and their views."""
        # Crops are drawn larger than they are used, so that turning them brings in tissue and not the edge's streaks.
        margin = self.config.crop // 8
        crops, views = source.draw(count, self.config.crop + 2 * margin, numbers)
        # The first of the three positions is that to the right.
        odd = [crops.shape[1] - 3] if self.config.position_weight else []
        changes = self.config.augmentation
        deformation = changes.deformation if source is self.labelmaps else 0.0
        crops = moved(
            crops.float(), views, margin, changes, random, mode=mode, odd_channels=odd, deformation=deformation
        )
        return crops, views


def _let_ctrl_c_through(model: nn.Module) -> None:
    """Let Python look up at each gradient: a backward pass is one call, which may take longer than anyone waits."""
    for parameter in model.parameters():
        parameter.register_hook(lambda _: None)


def _append(log: Path, line: dict[str, float]) -> None:
    """Add a line of JSON to a file, which the disk may have no room for."""
    before = log.read_text(encoding="utf-8") if log.exists() else ""
    with atomic_path(log) as part:
        part.write_text(f"{before}{json.dumps(line)}\n", encoding="utf-8")


def _mean(losses: Sequence[Tensor]) -> float:
    return float(np.mean(torch.stack(list(losses)).tolist()))
