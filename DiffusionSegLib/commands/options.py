"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

Number = TypeVar("Number", int, float)
# What NumPy and PyTorch both take.
SEEDS = range(2**63)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what computes."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what computes (auto)")


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Let the user choose the pretrained denoisers."""
    parser.add_argument("--bundle", metavar="NAME_OR_DIR", help="pretrained denoisers (the one that comes along)")


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what random numbers follow from."""
    parser.add_argument("--seed", type=_seed, metavar="N", default=0, help="seeds everything drawn at random (0)")


def positive(kind: type[Number]) -> Callable[[str], Number]:
    """What an option's text must be: a number above 0 of that kind."""

    def checked(text: str) -> Number:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is no number above 0")
        return number

    # argparse calls the type by this name where the text is no number at all.
    checked.__name__ = kind.__name__
    return checked


def _seed(text: str) -> int:
    number = int(text)
    if number not in SEEDS:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 0 to 2**63 - 1")
    return number


_seed.__name__ = "int"
