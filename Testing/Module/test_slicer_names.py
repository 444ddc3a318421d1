"""Every name of Slicer, Qt and CTK in the module exists: in slicer-core, in PySide6, or in the list kept by hand."""

from __future__ import annotations

import ast
import contextlib
import importlib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

slicer = pytest.importorskip("slicer", reason="names are looked up in slicer-core")
pytest.importorskip("vtk.util.numpy_support")
pytest.importorskip("PySide6", reason="names of Qt are looked up in PySide6")

# They need what was just asked for.
from slicer_fakes.names_of_slicer import NAMES, WIDGETS  # noqa: E402
from slicer_fakes.pythonqt_shim import qt_names  # noqa: E402
from slicer_fakes.widgets import CTK_WIDGETS, MRML_WIDGETS  # noqa: E402

MODULE = Path(__file__).parents[2] / "DiffusionSeg"
ROOTS = {"slicer", "qt", "ctk", "vtk"}
# What they hold stands in for: instances that slicer-core has only the class of.
INSTANCES = {"slicer.mrmlScene": "slicer.vtkMRMLScene"}


def dotted(node: ast.Attribute) -> str | None:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) and node.id in ROOTS else None


def names_in(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(dotted(node))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ROOTS:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found - {None}


def used_names() -> list[str]:
    found = set().union(*(names_in(path.read_text(encoding="utf-8")) for path in MODULE.rglob("*.py")))
    # Of a chain the longest says it all, and the modules themselves are no names of theirs.
    return sorted(name for name in found if not any(other.startswith(f"{name}.") for other in found))


def exists(name: str) -> bool:
    if name in NAMES:
        return True
    for instance, cls in INSTANCES.items():
        name = name.replace(f"{instance}.", f"{cls}.")
    root, *parts = name.split(".")
    if root == "ctk" or parts[0] in WIDGETS:
        return parts[0] in WIDGETS and set(parts[1:]) <= WIDGETS[parts[0]][1]
    if root == "qt":
        found = qt_names().get(parts[0])
        parts = parts[1:]
    else:
        found = importlib.import_module(root)
    for number, part in enumerate(parts):
        if not hasattr(found, part) and root != "qt":
            with contextlib.suppress(ImportError):
                importlib.import_module(".".join([root, *parts[: number + 1]]))
        found = getattr(found, part, None)
    return found is not None


@pytest.mark.parametrize("name", used_names())
def test_the_name_exists(name):
    assert exists(name), f"{name} is neither in slicer-core or Qt nor in names_of_slicer.py"


@pytest.mark.parametrize(
    "name", ["slicer.util.laodUI", "slicer.app.cashPath", "slicer.mrmlScene.Cleer", "qt.QTimmer", "ctk.ctkSlider"]
)
def test_a_misspelt_name_is_found_out(name):
    assert not exists(name)


def test_the_list_holds_nothing_that_slicer_core_has():
    for name in NAMES:
        found = slicer
        for part in name.split(".")[1:]:
            found = getattr(found, part, None)
        assert found is None, name


def test_every_widget_of_the_ui_file_is_qts_or_in_the_list():
    tree = ET.parse(MODULE / "Resources" / "UI" / "DiffusionSeg.ui")
    classes = {widget.get("class") for widget in tree.iter("widget")}
    assert {name for name in classes if not name.startswith("Q")} <= set(WIDGETS)
    assert {name for name in classes if name.startswith("Q")} <= set(qt_names())


@pytest.mark.parametrize("name", sorted(WIDGETS))
def test_properties_in_the_ui_file_are_the_widgets_own(name):
    tree = ET.parse(MODULE / "Resources" / "UI" / "DiffusionSeg.ui")
    of_qt = {"enabled", "geometry", "maximumSize", "minimumSize", "sizePolicy", "toolTip", "SlicerParameterName"}
    for widget in tree.iter("widget"):
        if widget.get("class") == name:
            used = {prop.get("name") for prop in widget.findall("property")}
            assert used <= WIDGETS[name][1] | of_qt, widget.get("name")


@pytest.mark.parametrize(("name", "fake"), sorted((MRML_WIDGETS | CTK_WIDGETS).items()))
def test_a_fake_widget_has_no_member_that_the_real_one_lacks(name, fake):
    events = {"childEvent", "mousePressEvent", "paintEvent", "showEvent"}
    own = {member for member in vars(fake) if not member.startswith("_") and member == member[0].lower() + member[1:]}
    known = WIDGETS[name][1] | events | {"staticMetaObject", "calls"}
    assert own <= known
