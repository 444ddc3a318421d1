"""The worker's methods in the process of a test, without a pipe, and what they report."""

from __future__ import annotations

import pytest
from brief_training import training_with
from painted_head import open_parameters, volume

from DiffusionSegLib import session
from DiffusionSegLib.worker.methods import Methods


def train_briefly(patch: pytest.MonkeyPatch) -> None:
    """Let a painted head be learnt in a few steps."""
    patch.setattr(session, "train_ensemble", training_with(steps=80, check_every=40))


class Listener:
    """Takes note of all that is reported, and stops the work where it is told to."""

    def __init__(self):
        self.stages, self.points, self.warnings = [], [], []
        self.stop_at = None

    def progress(self, stage, done, total):
        assert 0 <= done <= total
        self.stages.append(stage)
        if stage == self.stop_at:
            self.stop_at = None
            raise KeyboardInterrupt

    def curve(self, step, loss, held_out):
        self.points.append((step, loss, held_out))

    def warn(self, message, _hint=""):
        self.warnings.append(message)

    def check_stopped(self):
        pass


class Worker:
    def __init__(self):
        self.heard = Listener()
        self.methods = Methods(self.heard)

    def __call__(self, method, params=None, arrays=None):
        return self.methods.table[method](params or {}, arrays or {})


def opened(bundle, session_folder=None):
    worker = Worker()
    worker("open", open_parameters(bundle, session_folder), volume())
    return worker
