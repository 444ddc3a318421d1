"""A protocol that prints methods side by side, run on small made-up people with the real command."""

from __future__ import annotations

from pathlib import Path

from brief_training import training_with
from oasis_phantoms import write_people

from DiffusionSegLib import session
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.features.extraction import ActivationExtractor


def printed(protocol: str, bundle, folder: Path, monkeypatch, capsys, *, steps: int) -> tuple[list[list[str]], int]:
    """The first four cells of each line of the table, and how many scans' activations were extracted."""
    extracted = []
    extract = ActivationExtractor.extract
    monkeypatch.setattr(ActivationExtractor, "extract", lambda *given: extracted.append(given) or extract(*given))
    monkeypatch.setattr(session, "train_ensemble", training_with(steps=steps, check_every=steps))
    write_people(folder, {"sub-1": "train", "sub-2": "validation"})
    options = ["--bundle", str(bundle.folder), "--device", "cpu"]
    assert main(["benchmark", protocol, "--data", str(folder), *options]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:5]] for line in lines], len(extracted)
