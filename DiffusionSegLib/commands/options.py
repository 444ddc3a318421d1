"""Options that several commands share."""

from __future__ import annotations

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what computes."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="what computes (auto)")


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Let the user choose the pretrained denoisers."""
    parser.add_argument("--bundle", metavar="NAME_OR_DIR", help="pretrained denoisers (the one that comes along)")


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Let the user choose what random numbers follow from."""
    parser.add_argument("--seed", type=int, default=0, help="seeds everything drawn at random (0)")
