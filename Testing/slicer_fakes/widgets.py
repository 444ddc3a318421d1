"""Fakes of CTK's and MRML's widgets: the properties, methods and signals that the module uses, over a real scene."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from slicer_fakes.pythonqt_shim import PropertiesAsAttributes


def a_property(kind, name: str, initial):
    """A Qt property that only remembers what it was set to."""
    return QtCore.Property(
        kind, lambda self: self.__dict__.get(f"_{name}", initial), lambda self, value: self._remember(name, value)
    )


class Remembering(PropertiesAsAttributes):
    def _remember(self, name: str, value) -> None:
        self.__dict__[f"_{name}"] = value
        self._property_set(name)

    def _property_set(self, name: str) -> None:
        """For subclasses that act on it."""


class FakeMRMLWidget(Remembering, QtWidgets.QWidget):
    """qMRMLWidget: tells of its scene whatever the .ui connects with that."""

    mrmlSceneChanged = QtCore.Signal(object)

    @QtCore.Slot(object)
    def setMRMLScene(self, scene) -> None:
        self.mrmlSceneChanged.emit(scene)


class FakeNodeComboBox(Remembering, QtWidgets.QComboBox):
    """qMRMLNodeComboBox over the nodes of a real scene."""

    currentNodeChanged = QtCore.Signal(object)
    nodeTypes = a_property("QStringList", "nodeTypes", [])
    showChildNodeTypes = a_property(bool, "showChildNodeTypes", True)
    noneEnabled = a_property(bool, "noneEnabled", False)
    addEnabled = a_property(bool, "addEnabled", True)
    removeEnabled = a_property(bool, "removeEnabled", True)
    renameEnabled = a_property(bool, "renameEnabled", False)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene, self._nodes = None, []
        self.currentIndexChanged.connect(lambda _index: self.currentNodeChanged.emit(self.currentNode()))
        # As wide as the panel allows, whatever the nodes are called.
        self.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)

    @QtCore.Slot(object)
    def setMRMLScene(self, scene) -> None:
        self._scene = scene
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
            scene.AddObserver(event, lambda *_: self._list_nodes())
        self._list_nodes()

    def currentNode(self):
        index = QtWidgets.QComboBox.currentIndex(self)
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    def setCurrentNode(self, node) -> None:
        self._list_nodes()
        QtWidgets.QComboBox.setCurrentIndex(self, self._nodes.index(node) if node in self._nodes else -1)

    def _list_nodes(self) -> None:
        if self._scene is None:
            return
        chosen = self.currentNode()
        nodes = []
        for kind in self.nodeTypes:
            found = self._scene.GetNodesByClass(kind)
            nodes += [found.GetItemAsObject(number) for number in range(found.GetNumberOfItems())]
        nodes = [None, *nodes] if self.noneEnabled else nodes
        if nodes == self._nodes:
            return
        blocked = self.blockSignals(True)
        self._nodes = nodes
        self.clear()
        self.addItems(["None" if node is None else node.GetName() for node in nodes])
        QtWidgets.QComboBox.setCurrentIndex(self, nodes.index(chosen) if chosen in nodes else (0 if nodes else -1))
        self.blockSignals(blocked)
        if self.currentNode() is not chosen:
            self.currentNodeChanged.emit(self.currentNode())


class FakeCheckableNodeComboBox(FakeNodeComboBox):
    """qMRMLCheckableNodeComboBox."""

    checkedNodesChanged = QtCore.Signal()

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._checked: list = []
        self.setPlaceholderText("None")

    def checkedNodes(self) -> list:
        return [node for node in self._nodes if node in self._checked]

    def uncheckedNodes(self) -> list:
        return [node for node in self._nodes if node not in self._checked]

    def checkState(self, node):
        return QtCore.Qt.Checked if node in self._checked else QtCore.Qt.Unchecked

    def setCheckState(self, node, state) -> None:
        if state == self.checkState(node):
            return
        if state == QtCore.Qt.Checked:
            self._checked.append(node)
        else:
            self._checked.remove(node)
        self.checkedNodesChanged.emit()

    def _list_nodes(self) -> None:
        super()._list_nodes()
        QtWidgets.QComboBox.setCurrentIndex(self, -1)


class FakeSegmentEditorWidget(Remembering, QtWidgets.QWidget):
    """qMRMLSegmentEditorWidget: remembers its nodes and shows where the real one sits."""

    segmentationNodeSelectorVisible = a_property(bool, "segmentationNodeSelectorVisible", True)
    sourceVolumeNodeSelectorVisible = a_property(bool, "sourceVolumeNodeSelectorVisible", True)
    switchToSegmentationsButtonVisible = a_property(bool, "switchToSegmentationsButtonVisible", True)
    unorderedEffectsVisible = a_property(bool, "unorderedEffectsVisible", True)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.calls: list = []
        self._segmentation = self._volume = self._editor_node = None
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, text in enumerate(("Add", "Remove", "Show 3D")):
            grid.addWidget(QtWidgets.QPushButton(text), 0, column)
        self._segments = QtWidgets.QListWidget()
        self._segments.setFixedHeight(84)
        grid.addWidget(self._segments, 1, 0, 1, 3)
        self._effects = QtWidgets.QHBoxLayout()
        grid.addLayout(self._effects, 2, 0, 1, 3)

    def setEffectNameOrder(self, names) -> None:
        for name in names:
            button = QtWidgets.QToolButton()
            button.setText(name)
            button.setCheckable(True)
            self._effects.addWidget(button)
        self._effects.addStretch(1)

    @QtCore.Slot(object)
    def setMRMLScene(self, _scene) -> None:
        self.calls.append("setMRMLScene")

    def setMRMLSegmentEditorNode(self, node) -> None:
        self.calls.append("setMRMLSegmentEditorNode")
        self._editor_node = node

    def mrmlSegmentEditorNode(self):
        return self._editor_node

    def setSegmentationNode(self, node) -> None:
        self._segmentation = node
        self._segments.clear()
        contents = node.GetSegmentation() if node else None
        for number in range(contents.GetNumberOfSegments() if contents else 0):
            segment = contents.GetNthSegment(number)
            pixmap = QtGui.QPixmap(14, 14)
            pixmap.fill(QtGui.QColor.fromRgbF(*segment.GetColor()))
            self._segments.addItem(QtWidgets.QListWidgetItem(QtGui.QIcon(pixmap), segment.GetName()))

    def segmentationNode(self):
        return self._segmentation

    def setSourceVolumeNode(self, node) -> None:
        self._volume = node

    def sourceVolumeNode(self):
        return self._volume

    def setMaximumNumberOfUndoStates(self, count: int) -> None:
        self.calls.append(("setMaximumNumberOfUndoStates", count))

    def setActiveEffect(self, effect) -> None:
        self.calls.append(("setActiveEffect", effect))

    def setupViewObservations(self) -> None:
        self.calls.append("setupViewObservations")

    def removeViewObservations(self) -> None:
        self.calls.append("removeViewObservations")

    def installKeyboardShortcuts(self) -> None:
        self.calls.append("installKeyboardShortcuts")

    def uninstallKeyboardShortcuts(self) -> None:
        self.calls.append("uninstallKeyboardShortcuts")


class FakeCollapsibleButton(Remembering, QtWidgets.QWidget):
    """ctkCollapsibleButton: a bar with a title, above contents that can be folded away."""

    HEADER = 24
    text = a_property(str, "text", "")
    collapsed = a_property(bool, "collapsed", False)

    def _property_set(self, name: str) -> None:
        if name == "collapsed":
            self._fold()

    def childEvent(self, event) -> None:
        super().childEvent(event)
        self._fold()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._fold()

    def mousePressEvent(self, event) -> None:
        if event.position().y() < self.HEADER:
            self.collapsed = not self.collapsed

    def _fold(self) -> None:
        self.setContentsMargins(0, self.HEADER, 0, 0)
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            if self.collapsed:
                child.setProperty("folded", not child.isHidden() or bool(child.property("folded")))
                child.hide()
            elif child.property("folded"):
                child.setProperty("folded", False)
                child.show()
        self.setMaximumHeight(self.HEADER if self.collapsed else 16777215)

    def paintEvent(self, _event) -> None:
        painter = QtGui.QPainter(self)
        palette, width = QtWidgets.QWidget.palette(self), QtWidgets.QWidget.width(self)
        height = QtWidgets.QWidget.height(self)
        bar = QtCore.QRect(0, 0, width - 1, self.HEADER - 4)
        painter.setPen(palette.color(QtGui.QPalette.Mid))
        if not self.collapsed:
            painter.drawRect(0, self.HEADER // 2, width - 1, height - self.HEADER // 2 - 1)
        painter.fillRect(bar, palette.color(QtGui.QPalette.Button).darker(104))
        painter.drawRect(bar)
        painter.setPen(palette.color(QtGui.QPalette.ButtonText))
        arrow = "▸  " if self.collapsed else "▾  "
        painter.drawText(bar.adjusted(8, 0, 0, 0), QtCore.Qt.AlignVCenter, arrow + self.text)


class FakeSliderWidget(Remembering, QtWidgets.QWidget):
    """ctkSliderWidget: a slider beside a spin box, of fractional numbers."""

    valueChanged = QtCore.Signal(float)
    STEPS = 1000

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._slider, self._box = QtWidgets.QSlider(QtCore.Qt.Horizontal), QtWidgets.QDoubleSpinBox()
        self._slider.setRange(0, self.STEPS)
        row.addWidget(self._slider, 1)
        row.addWidget(self._box)
        self._box.valueChanged.connect(self._changed)
        self._slider.sliderMoved.connect(self._dragged)

    def _changed(self, value: float) -> None:
        share = (value - self._box.minimum()) / ((self._box.maximum() - self._box.minimum()) or 1)
        self._slider.setValue(round(self.STEPS * share))
        self.valueChanged.emit(value)

    def _dragged(self, step: int) -> None:
        self._box.setValue(self._box.minimum() + step / self.STEPS * (self._box.maximum() - self._box.minimum()))

    def _through(kind, getter: str):  # noqa: N805
        setter = f"set{getter[0].upper()}{getter[1:]}"
        return QtCore.Property(
            kind,
            lambda self: getattr(self._box, getter)(),
            lambda self, value: getattr(self._box, setter)(value),
        )

    value = _through(float, "value")
    minimum = _through(float, "minimum")
    maximum = _through(float, "maximum")
    singleStep = _through(float, "singleStep")
    decimals = _through(int, "decimals")
    suffix = _through(str, "suffix")


class FakePathLineEdit(Remembering, QtWidgets.QWidget):
    """ctkPathLineEdit: a line beside a button that would open a file dialog."""

    # Of its enumerations `Filter` and `Option`.
    Dirs, Files, Readable, Writable = 0x1, 0x2, 0x10, 0x20
    DontConfirmOverwrite = 0x4

    currentPathChanged = QtCore.Signal(str)
    filters = a_property(int, "filters", 0)
    options = a_property(int, "options", 0)
    nameFilters = a_property("QStringList", "nameFilters", [])
    settingKey = a_property(str, "settingKey", "")

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._line, button = QtWidgets.QLineEdit(), QtWidgets.QToolButton()
        button.setText("…")
        row.addWidget(self._line, 1)
        row.addWidget(button)
        self._line.textChanged.connect(self.currentPathChanged.emit)

    currentPath = QtCore.Property(str, lambda self: self._line.text(), lambda self, path: self._line.setText(path))


MRML_WIDGETS = {
    "qMRMLWidget": FakeMRMLWidget,
    "qMRMLNodeComboBox": FakeNodeComboBox,
    "qMRMLCheckableNodeComboBox": FakeCheckableNodeComboBox,
    "qMRMLSegmentEditorWidget": FakeSegmentEditorWidget,
}
CTK_WIDGETS = {
    "ctkCollapsibleButton": FakeCollapsibleButton,
    "ctkSliderWidget": FakeSliderWidget,
    "ctkPathLineEdit": FakePathLineEdit,
}
