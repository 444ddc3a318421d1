"""Names of desktop Slicer that slicer-core has not, each with the file of Slicer 5.12 (or CTK) that defines it.

Kept by hand: whoever uses a new name looks it up there first.
"""

from __future__ import annotations

SCRIPTED_MODULE = "Base/Python/slicer/ScriptedLoadableModule.py"
WRAPPER = "Base/Python/slicer/parameterNodeWrapper"

NAMES = {
    "slicer.app": "Base/Python/slicer/slicerqt.py",
    "slicer.app.cachePath": "Base/QTCore/qSlicerCoreApplication.h",
    "slicer.app.connect": "Base/QTGUI/qSlicerApplication.h",
    "slicer.app.layoutManager": "Base/QTGUI/qSlicerApplication.h",
    "slicer.app.slicerUserSettingsFilePath": "Base/QTCore/qSlicerCoreApplication.h",
    "slicer.app.userSettings": "Base/QTCore/qSlicerCoreApplication.h",
    "slicer.i18n.tr": "Base/Python/slicer/i18n.py",
    "slicer.i18n.translate": "Base/Python/slicer/i18n.py",
    "slicer.mrmlScene": "Base/Python/slicer/slicerqt.py",
    "slicer.packaging.load_requirements": "Base/Python/slicer/packaging.py",
    "slicer.packaging.pip_check": "Base/Python/slicer/packaging.py",
    "slicer.packaging.pip_ensure": "Base/Python/slicer/packaging.py",
    "slicer.parameterNodeWrapper.Choice": f"{WRAPPER}/validators.py",
    "slicer.parameterNodeWrapper.GuiConnector": f"{WRAPPER}/guiConnectors.py",
    "slicer.parameterNodeWrapper.WithinRange": f"{WRAPPER}/validators.py",
    "slicer.parameterNodeWrapper.parameterNodeWrapper": f"{WRAPPER}/wrapper.py",
    "slicer.ScriptedLoadableModule.ScriptedLoadableModule": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleLogic": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleTest": SCRIPTED_MODULE,
    "slicer.ScriptedLoadableModule.ScriptedLoadableModuleWidget": SCRIPTED_MODULE,
}

SELECTOR = "Libs/MRML/Widgets/qMRMLNodeComboBox.h"
# The widgets of the .ui file: where they are declared, and which of their members are used (in the .ui file, by the
# module or by the parameter node's connectors).
WIDGETS = {
    "qMRMLWidget": ("Libs/MRML/Widgets/qMRMLWidget.h", {"setMRMLScene"}),
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
