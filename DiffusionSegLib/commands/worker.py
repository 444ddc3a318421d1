"""`diffusionseg worker`: serves one client over standard input and output, such as the Slicer module."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("worker", help="serve a client over standard input and output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - there is nothing to choose
    """Serve until the client is gone."""
    from DiffusionSegLib.worker.priority import give_way
    from DiffusionSegLib.worker.server import Server
    from DiffusionSegLib.worker.standard_streams import take_standard_streams

    give_way()
    return Server(*take_standard_streams()).run()
