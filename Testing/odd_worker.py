"""A worker with a fault that a test asks for: `python odd_worker.py [FAULT [ARGUMENT ...]]`; it trains for few steps.

Faults: `dawdle SECONDS` sleeps whenever a stage begins, `hang STAGE` never goes on from there, `held FOLDER` stays at a
method or stage while the folder has a file of its name, `chatty` prints to standard output in Python and in C,
`short-of-memory` fails on all but single slices, `no-torch` cannot load torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.worker.server import Server

# What the file is called that tells that a held worker is where it is held.
REACHED = "reached"


def at_each_stage(act) -> None:
    report, last = Server.progress, [""]

    def acting(self: Server, name: str, done: int, total: int) -> None:
        report(self, name, done, total)
        if name != last[0]:
            last[0] = name
            act(name)

    Server.progress = acting


def held(folder: Path) -> None:
    """Where it is held it looks up for a cancel as it does between two slices."""
    called, report = Server._called, Server.progress

    def stay(server: Server, name: str) -> None:
        order = folder / name
        if order.exists():
            (folder / REACHED).touch()
        while order.exists():
            server.check_stopped()
            time.sleep(0.005)

    def called_when_let_go(self: Server, methods, request):
        stay(self, request.method)
        return called(self, methods, request)

    def reporting(self: Server, name: str, *told) -> None:
        report(self, name, *told)
        stay(self, name)

    Server._called, Server.progress = called_when_let_go, reporting


def chatty() -> None:
    progress = Server.progress

    def printing(self: Server, *told) -> None:
        print("a library says hello")
        os.write(1, b"Content-Length: 7\r\n\r\nso does C")
        subprocess.run(["echo", "and a child"], check=True)
        progress(self, *told)

    Server.progress = printing


def train_briefly() -> None:
    from brief_training import training_with

    from DiffusionSegLib import session

    session.train_ensemble = training_with(steps=80, check_every=40)


def short_of_memory() -> None:
    import torch

    from DiffusionSegLib.diffusion.denoisers import Denoisers

    activations = Denoisers.activations

    def limited(self, images, *rest):
        if len(images) > 1:
            raise torch.OutOfMemoryError("injected")
        return activations(self, images, *rest)

    Denoisers.activations = limited


if __name__ == "__main__":
    fault, *arguments = sys.argv[1:] or ["none"]
    if fault == "no-torch":
        sys.modules["torch"] = None
    else:
        train_briefly()
    if fault == "dawdle":
        at_each_stage(lambda _: time.sleep(float(arguments[0])))
    elif fault == "hang":
        at_each_stage(lambda name: time.sleep(1000 if name == arguments[0] else 0))
    elif fault == "held":
        held(Path(arguments[0]))
    elif fault == "chatty":
        chatty()
    elif fault == "short-of-memory":
        short_of_memory()
    sys.exit(main(["worker"]))
