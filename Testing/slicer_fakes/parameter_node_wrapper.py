"""A fake of slicer.parameterNodeWrapper over a real vtkMRMLScriptedModuleNode, for the types that the module uses."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from types import ModuleType

import slicer
import vtk


@dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float

    def check(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(value)


@dataclass(frozen=True)
class Choice:
    choices: list

    def check(self, value) -> None:
        if value not in self.choices:
            raise ValueError(value)


class GuiConnector:
    """As in Slicer: subclasses connect a widget's signal to `changed`, and read and write its value."""

    def __init__(self) -> None:
        self._callback = None

    def onChanged(self, callback) -> None:
        self._callback = callback
        if callback is None:
            self._disconnect()
        else:
            self._connect()

    def changed(self) -> None:
        if self._callback:
            self._callback()


class FakeConnector(GuiConnector):
    """Any of Slicer's own connectors: by widget and data type it knows signal, reader and writer."""

    def __init__(self, widget, signal: str, read, write) -> None:
        super().__init__()
        self._widget, self._signal, self.read, self.write = widget, signal, read, write

    def _connect(self) -> None:
        getattr(self._widget, self._signal).connect(self.changed)

    def _disconnect(self) -> None:
        getattr(self._widget, self._signal).disconnect(self.changed)


def fake_connector(widget, kind: type, checks: tuple) -> FakeConnector:
    """The connector for a widget; like Slicer's it compares types exactly and refuses what it does not know."""
    import ctk
    import qt

    def attribute(name: str, signal: str) -> FakeConnector:
        return FakeConnector(widget, signal, lambda: getattr(widget, name), lambda value: setattr(widget, name, value))

    if type(widget) is qt.QCheckBox and kind is bool:
        return attribute("checked", "stateChanged")
    if type(widget) is qt.QLineEdit and kind is str:
        return attribute("text", "textChanged")
    if type(widget) is slicer.qMRMLNodeComboBox and issubclass(kind, slicer.vtkMRMLNode):
        widget.nodeTypes = [kind.__name__]
        return FakeConnector(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)
    if type(widget) is qt.QComboBox and kind is str and checks:
        choices = checks[0].choices
        widget.clear()
        widget.addItems([str(choice) for choice in choices])
        return FakeConnector(
            widget,
            "currentIndexChanged",
            lambda: choices[widget.currentIndex],
            lambda value: setattr(widget, "currentIndex", choices.index(value)),
        )
    if (type(widget), kind) in {(qt.QSpinBox, int), (ctk.ctkSliderWidget, float)}:
        widget.minimum, widget.maximum = checks[0].minimum, checks[0].maximum
        return attribute("value", "valueChanged")
    message = f"Unable to create GUI connector from datatype '{kind}' to widget type '{type(widget)}'"
    raise RuntimeError(message)


def _read(node, name: str, kind):
    if typing.get_origin(kind) is list:
        count = node.GetNumberOfNodeReferences(name)
        return [node.GetNthNodeReference(name, number) for number in range(count)]
    if issubclass(kind, slicer.vtkMRMLNode):
        return node.GetNodeReference(name)
    return node.GetParameter(name) == "True" if kind is bool else kind(node.GetParameter(name))


def _write(node, name: str, kind, value) -> None:
    if typing.get_origin(kind) is list:
        node.SetParameter(name, "")
        node.RemoveNodeReferenceIDs(name)
        for item in value:
            node.AddNodeReferenceID(name, item.GetID())
    elif issubclass(kind, slicer.vtkMRMLNode):
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
    else:
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ValueError(value)
        node.SetParameter(name, str(value))


def parameter_node_wrapper(cls: type) -> type:  # noqa: C901
    """The decorator: typed members become properties over the parameter node."""
    members = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        kind, *checks = typing.get_args(hint) if hasattr(hint, "__metadata__") else (hint,)
        simple = {bool: False, int: 0, float: 0.0, str: ""}
        default = getattr(cls, name, [] if typing.get_origin(kind) is list else simple.get(kind))
        members[name] = (kind, tuple(checks), default)

    def initialise(self, node) -> None:
        self.parameterNode = node
        self._guis, self._updating, self._next = {}, False, 0
        for name, (kind, _checks, default) in members.items():
            if not node.HasParameter(name):
                _write(node, name, kind, default)

    def member(name: str) -> property:
        kind, checks, _default = members[name]

        def write(self, value) -> None:
            for check in checks:
                check.check(value)
            _write(self.parameterNode, name, kind, value)

        return property(lambda self: _read(self.parameterNode, name, kind), write)

    def update_gui(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for mapping in self._guis.values():
                for name, connector in mapping.items():
                    connector.write(getattr(self, name))
        finally:
            self._updating = False

    def connect(self, mapping: dict) -> int:
        if unknown := set(mapping) - set(members):
            raise ValueError(unknown)
        connectors = {
            name: widget if isinstance(widget, GuiConnector) else fake_connector(widget, *members[name][:2])
            for name, widget in mapping.items()
        }
        tag, self._next = self._next, self._next + 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(getattr(self, name))
            connector.onChanged(lambda n=name, c=connector: self._updating or setattr(self, n, c.read()))
        self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: update_gui(self))
        return tag

    def disconnect(self, tag: int) -> None:
        for connector in self._guis.pop(tag, {}).values():
            connector.onChanged(None)

    for name in members:
        setattr(cls, name, member(name))
    cls.__init__, cls.connectParametersToGui, cls.disconnectGui = initialise, connect, disconnect
    cls.allParameters = members
    return cls


def make_module() -> ModuleType:
    """The module slicer.parameterNodeWrapper."""
    module = ModuleType("slicer.parameterNodeWrapper")
    module.parameterNodeWrapper = parameter_node_wrapper
    module.GuiConnector, module.Choice, module.WithinRange = GuiConnector, Choice, WithinRange
    return module
