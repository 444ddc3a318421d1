"""Segmenters as text, so that a scene keeps them and takes them along wherever it is opened."""

from __future__ import annotations

import base64

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError


def text_of(arrays: dict[str, np.ndarray]) -> str:
    """The segmenter that the worker sent, as text."""
    return base64.b64encode(arrays["segmenter"].tobytes()).decode("ascii")


def arrays_of(text: str) -> dict[str, np.ndarray]:
    """What the worker is sent of a segmenter that `text_of` wrote.

    Raises:
        DiffusionSegError: if it is damaged.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        hint = "Train again, or load a segmenter file under Other volumes."
        raise DiffusionSegError("The segmenter that was saved with the scene is damaged.", hint) from error
    return {"segmenter": np.frombuffer(content, np.uint8)}
