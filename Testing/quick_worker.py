"""A real worker that trains only as much as tests need: run it in place of `python -m DiffusionSegLib worker`."""

from functools import partial

from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.session import SessionOptions
from DiffusionSegLib.worker import methods
from DiffusionSegLib.worker.server import Server
from DiffusionSegLib.worker.standard_streams import take_standard_streams

if __name__ == "__main__":
    ensemble = EnsembleConfig(members=2, hidden=(16, 8), batch=64, steps=60, check_every=20)
    methods.SessionOptions = partial(SessionOptions, ensemble=ensemble)
    raise SystemExit(Server(*take_standard_streams()).run())
