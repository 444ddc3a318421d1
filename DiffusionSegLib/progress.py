"""The one callback type by which long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as ``progress(stage, done, total)``; raising from it stops the work."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


class Curve(Protocol):
    """Called as ``curve(step, loss, held_out)`` while the ensemble learns.

    `loss` is the mean cross-entropy since the last call, `held_out` the mean (geometric) probability that the ensemble
    gives to the right class of held-out voxels, from 0 to 1; None if none are held out.
    """

    def __call__(self, step: int, loss: float, held_out: float | None) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


def unseen(step: int, loss: float, held_out: float | None) -> None:
    """Draw nothing."""
