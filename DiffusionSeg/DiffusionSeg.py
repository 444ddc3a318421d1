"""The Slicer module: for now it names itself and the command that does the work."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget

COMMAND = "diffusionseg segment scan.nii.gz --labels painting.nii.gz --out results"


class DiffusionSeg(ScriptedLoadableModule):
    """What Slicer's module list shows."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DiffusionSeg")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = []
        self.parent.contributors = ["The DiffusionSeg authors"]
        self.parent.helpText = _(
            "Segments a whole volume from nine painted slices, with diffusion-model features: features of generative "
            "models, nothing to do with diffusion MRI."
        )
        self.parent.acknowledgementText = _("After Cho et al., Label-Efficient 3D Brain Segmentation, 2024.")


class DiffusionSegWidget(ScriptedLoadableModuleWidget):
    """A panel that says how to run the command line on files saved from Slicer."""

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        text = _("Save the volume and the painted label map, then run in a terminal:")
        label = qt.QLabel(f"{text}<br><code>{COMMAND}</code>")
        label.wordWrap = True
        self.layout.addWidget(label)
        self.layout.addStretch(1)
