"""What a pretraining must remember to go on after an interruption."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.errors import DiffusionSegError

CHECKPOINT = "checkpoint.safetensors"


class TrainingState:
    """Weights, their running mean, the optimizer's moments and the number of steps done.

    Args:
        model: what is trained.
        optimizer: its AdamW.
        ema_decay: decay of the running mean once training is well under way.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, ema_decay: float) -> None:
        self.model, self.optimizer, self.ema_decay = model, optimizer, ema_decay
        self.step = 0
        self.mean = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def count_step(self) -> None:
        """Take note of a finished step and of its weights."""
        self.step += 1
        # Early weights are soon worthless: the mean looks back over at most a tenth of the steps so far.
        decay = min(self.ema_decay, self.step / (self.step + 10))
        values = self.model.state_dict()
        torch._foreach_lerp_(list(self.mean.values()), list(values.values()), 1 - decay)

    def save(self, folder: Path) -> None:
        """Write everything to one file in `folder`, replacing the last one in one go."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"mean.{name}": value for name, value in self.mean.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
        tensors = {name: value.contiguous() for name, value in tensors.items()}
        with atomic_path(folder / CHECKPOINT) as path:
            save_file(tensors, path, metadata={"step": str(self.step)})

    def load(self, folder: Path) -> None:
        """Take over the checkpoint in `folder`, if there is one.

        Raises:
            DiffusionSegError: if it is damaged.
        """
        path = folder / CHECKPOINT
        if not path.exists():
            return
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            message = f"The checkpoint {path} cannot be read."
            raise DiffusionSegError(message, f"Delete the folder {folder} to begin anew.") from error
        self.model.load_state_dict(_below(tensors, "model."))
        mean = _below(tensors, "mean.")
        # In the model's order, which a file does not keep, because both are walked through side by side.
        self.mean = {name: mean[name].to(value.device) for name, value in self.mean.items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(tensors, "optimizer.").items():
            index, moment = name.split(".")
            moments.setdefault(int(index), {})[moment] = value
        state = self.optimizer.state_dict()
        self.optimizer.load_state_dict({"state": moments, "param_groups": state["param_groups"]})
        # AdamW counts its own steps; ours is the same number.
        self.step = int(next(iter(moments.values()))["step"])


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
