"""What belongs to this computer and not to a scene: how the worker is started, and where work is kept.

A scene may come from anybody, and go to anybody: it must not say which program is run here, nor where work is kept.
The folder of a model of the user's own is chosen for a scene, which names it.
"""

from __future__ import annotations

import slicer

WORKER_COMMAND, KEPT_WORK = "DiffusionSeg/WorkerCommand", "DiffusionSeg/KeptWork"
KEPT_GIGABYTES = "DiffusionSeg/KeptGigabytes"
SEGMENTER_FILE = "DiffusionSeg/SegmenterFile"


def setting(key: str) -> str:
    """A text of Slicer's settings; empty if it was never set."""
    return str(slicer.app.userSettings().value(key, "") or "")


def keep_setting(key: str, text: str) -> None:
    """Keep a text in Slicer's settings."""
    slicer.app.userSettings().setValue(key, text)
