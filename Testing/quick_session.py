"""Sessions that learn a phantom within seconds."""

from __future__ import annotations

from dataclasses import replace

from conftest import a_volume

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.benchmark.painting import annotate_slices
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import Session, SessionOptions

QUICK = EnsembleConfig(members=3, hidden=(24, 12), batch=128, steps=200)


def options(bundle, **changes) -> SessionOptions:
    return replace(SessionOptions(bundle=bundle, device="cpu", ensemble=QUICK), **changes)


def nine_slices(labels, grid):
    return annotate_slices(labels, grid, per_axis=3, stride=4, background=True)


def trained_session(bundle, image, labels, affine=None, **changes) -> tuple[Session, Annotation]:
    """A session that has learnt nine slices of a scan, and these."""
    session, volume = Session(options(bundle, **changes)), a_volume(image, affine)
    annotation = nine_slices(labels, volume.grid)
    session.open(volume)
    session.annotate(annotation)
    session.train()
    return session, annotation
