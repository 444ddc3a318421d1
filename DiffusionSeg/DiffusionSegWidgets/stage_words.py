"""What the panel calls the worker's stages."""

from __future__ import annotations

from slicer.i18n import tr as _


def stage_in_words(stage: str) -> str:
    """The worker's name of a stage as the panel shows it."""
    words = {
        "preparation": _("Preparing the volume"),
        "alignment": _("Finding the body in the model's template"),
        "features": _("Computing features"),
        "saving": _("Keeping the features on disk"),
        "gathering": _("Gathering painted voxels"),
        "training": _("Training"),
        "preview": _("Segmenting the slices in view"),
        "prediction": _("Segmenting the volume"),
        "clean-up": _("Keeping only the largest parts"),
    }
    return words.get(stage, stage[:1].upper() + stage[1:])
