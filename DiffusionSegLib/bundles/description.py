"""What a model bundle says of itself, read without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from DiffusionSegLib.errors import DiffusionSegError

FOLDER = Path(__file__).parent
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "MODEL_CARD.md"
Found = TypeVar("Found")


@dataclass(frozen=True)
class BundleDescription:
    """What whoever chooses a bundle should know.

    Args:
        name: what it is called.
        description: what it is for, in a sentence.
        licence: of its weights.
        card: the model card in Markdown; empty if there is none.
        channels: how many volumes a scan must consist of.
    """

    name: str
    description: str
    licence: str
    card: str
    channels: int

    @classmethod
    def read(cls, folder: Path) -> BundleDescription:
        """The description of the bundle in a folder.

        Raises:
            DiffusionSegError: if the folder is gone, or holds no bundle or a damaged one.
        """
        said = read_config(folder)
        try:
            channels, texts = said["unet"]["channels_in"], (said["name"], said["description"], said["licence"])
        except (KeyError, TypeError) as error:
            raise _no_bundle(folder) from error
        if not (folder / WEIGHTS).is_file() or type(channels) is not int or {type(text) for text in texts} != {str}:
            raise _no_bundle(folder)
        return cls(*texts, card=read_card(folder), channels=channels)


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a bundle's `config.json`.

    Raises:
        DiffusionSegError: if the folder is gone, or holds no readable one.
    """
    try:
        said = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_bundle(folder) from error
    if not isinstance(said, dict):
        raise _no_bundle(folder)
    return said


def read_card(folder: Path) -> str:
    """A bundle's model card in Markdown; empty if there is none."""
    path = folder / CARD
    return path.read_text(encoding="utf-8") if path.exists() else ""


def bundled_folders() -> list[Path]:
    """Where the bundles are that come with the package."""
    return [path.parent for path in sorted(FOLDER.glob(f"*/{CONFIG}"))]


def bundled_descriptions() -> list[BundleDescription]:
    """The descriptions of the bundles that come with the package; damaged ones are left out."""
    return of_bundled(BundleDescription.read)


def of_bundled(read: Callable[[Path], Found]) -> list[Found]:
    """What is read from each folder of a bundle that comes with the package; damaged ones are left out."""
    found = []
    for folder in bundled_folders():
        # What is left of an installation that was interrupted must not keep the others from being used.
        with suppress(DiffusionSegError):
            found.append(read(folder))
    return found


def _no_bundle(folder: Path) -> DiffusionSegError:
    if not folder.is_dir():
        return DiffusionSegError(
            f"The folder {folder} of the model is gone.", "Choose another one, or a bundled model."
        )
    message = f"There is no readable model bundle in {folder}."
    return DiffusionSegError(message, "A bundle is a folder with config.json and model.safetensors.")
