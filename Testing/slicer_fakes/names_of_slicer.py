"""Names of desktop Slicer that slicer-core has not, each with the file of Slicer 5.12 that defines it.

Files of CTK and of the extension PyTorch (SlicerPyTorch) begin with its name.

Kept by hand: whoever uses a new name looks it up there first.
"""

from __future__ import annotations

SCRIPTED_MODULE = "Base/Python/slicer/ScriptedLoadableModule.py"
WRAPPER = "Base/Python/slicer/parameterNodeWrapper"
MODULE = "Base/QTGUI/qSlicerScriptedLoadableModule.h"
PANEL = "Base/QTGUI/qSlicerAbstractModuleWidget.h"
PYTORCH = "SlicerPyTorch: PyTorchUtils/PyTorchUtils.py"
SAMPLE_DATA = "Modules/Scripted/SampleData/SampleData.py"

NAMES = {
    "PyTorchUtils.PyTorchUtilsLogic": PYTORCH,
    "PyTorchUtils.PyTorchUtilsLogic.installTorch": PYTORCH,
    "SampleData.SampleDataLogic": SAMPLE_DATA,
    "SampleData.SampleDataLogic.registerCustomSampleDataSource": SAMPLE_DATA,
    "SampleData.SampleDataLogic.sampleDataSourcesByCategory": SAMPLE_DATA,
    "SampleData.SampleDataSource.sampleName": SAMPLE_DATA,
    "slicer.app": "Base/Python/slicer/slicerqt.py",
    "slicer.app.cachePath": "Base/QTCore/qSlicerCoreApplication.h",
    "slicer.app.connect": "Base/QTGUI/qSlicerApplication.h",
    "slicer.app.layoutManager": "Base/QTGUI/qSlicerApplication.h",
    "slicer.app.userSettings": "Base/QTCore/qSlicerCoreApplication.h",
    "slicer.cli.runSync": "Base/Python/slicer/cli.py",
    "slicer.i18n.tr": "Base/Python/slicer/i18n.py",
    "slicer.i18n.translate": "Base/Python/slicer/i18n.py",
    # Each module by its name in small letters.
    "slicer.modules.diffusionsegbatch": "Base/Python/slicer/slicerqt.py",
    "slicer.mrmlScene": "Base/Python/slicer/slicerqt.py",
    "slicer.packaging.load_requirements": "Base/Python/slicer/packaging.py",
    "slicer.packaging.pip_check": "Base/Python/slicer/packaging.py",
    "slicer.packaging.pip_ensure": "Base/Python/slicer/packaging.py",
    "slicer.parameterNodeWrapper.Choice": f"{WRAPPER}/validators.py",
    "slicer.parameterNodeWrapper.GuiConnector": f"{WRAPPER}/guiConnectors.py",
    "slicer.parameterNodeWrapper.WithinRange": f"{WRAPPER}/validators.py",
    "slicer.parameterNodeWrapper.parameterNodeWrapper": f"{WRAPPER}/wrapper.py",
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.acknowledgementText": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.categories": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.contributors": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.dependencies": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.helpText": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.parent.title": MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule.resourcePath": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleLogic": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleLogic.getParameterNode": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleTest": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleWidget": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleWidget.parent.isEntered": PANEL,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleWidget.resourcePath": SCRIPTED_MODULE,
}

SELECTOR = "Libs/MRML/Widgets/qMRMLNodeComboBox.h"
# The widgets of the .ui file: where they are declared, and which of their members are used (in the .ui file, by the
# module or by the parameter node's connectors).
WIDGETS = {
    "qMRMLWidget": ("Libs/MRML/Widgets/qMRMLWidget.h", {"mrmlSceneChanged", "setMRMLScene"}),
    "qMRMLNodeComboBox": (
        SELECTOR,
        {
            "addEnabled",
            "currentNode",
            "currentNodeChanged",
            "nodeTypes",
            "noneEnabled",
            "removeEnabled",
            "renameEnabled",
            "setCurrentNode",
            "setMRMLScene",
            "showChildNodeTypes",
        },
    ),
    "qMRMLCheckableNodeComboBox": (
        "Libs/MRML/Widgets/qMRMLCheckableNodeComboBox.h",
        {
            "addEnabled",
            "checkState",
            "checkedNodes",
            "checkedNodesChanged",
            "nodeTypes",
            "removeEnabled",
            "setCheckState",
            "showChildNodeTypes",
            "uncheckedNodes",
        },
    ),
    "qMRMLSegmentEditorWidget": (
        "Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.h",
        {
            "installKeyboardShortcuts",
            "mrmlSegmentEditorNode",
            "removeViewObservations",
            "segmentationNode",
            "segmentationNodeSelectorVisible",
            "setActiveEffect",
            "setEffectNameOrder",
            "setMRMLScene",
            "setMRMLSegmentEditorNode",
            "setMaximumNumberOfUndoStates",
            "setSegmentationNode",
            "setSourceVolumeNode",
            "setupViewObservations",
            "sourceVolumeNode",
            "sourceVolumeNodeSelectorVisible",
            "switchToSegmentationsButtonVisible",
            "uninstallKeyboardShortcuts",
            "unorderedEffectsVisible",
        },
    ),
    "ctkCollapsibleButton": ("CTK: Libs/Widgets/ctkCollapsibleButton.h", {"collapsed", "text"}),
    "ctkSliderWidget": (
        "CTK: Libs/Widgets/ctkSliderWidget.h",
        {"decimals", "maximum", "minimum", "singleStep", "suffix", "value", "valueChanged"},
    ),
    "ctkPathLineEdit": (
        "CTK: Libs/Widgets/ctkPathLineEdit.h",
        {"currentPath", "currentPathChanged", "filters", "nameFilters", "options", "settingKey"},
    ),
}

SCENE_SLOT = "setMRMLScene(vtkMRMLScene*)"
# What the .ui file connects: the signal or slot of a class, and where it is declared.
SIGNALS_AND_SLOTS = {
    ("qMRMLWidget", "mrmlSceneChanged(vtkMRMLScene*)"): "Libs/MRML/Widgets/qMRMLWidget.h",
    ("qMRMLNodeComboBox", SCENE_SLOT): SELECTOR,
    # Inherited.
    ("qMRMLCheckableNodeComboBox", SCENE_SLOT): SELECTOR,
    ("qMRMLSegmentEditorWidget", SCENE_SLOT): "Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.h",
}
# The values that the .ui file combines: of `ctkPathLineEdit::Filter` and `ctkPathLineEdit::Option`.
FLAGS = {
    "ctkPathLineEdit": (
        "CTK: Libs/Widgets/ctkPathLineEdit.h",
        {"DontConfirmOverwrite": 0x4, "Dirs": 0x1, "Files": 0x2, "Readable": 0x10, "Writable": 0x20},
    ),
}
