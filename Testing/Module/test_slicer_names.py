"""Every name of Slicer, Qt and CTK in the module exists: in slicer-core, in PySide6, or in the list kept by hand."""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
from pathlib import Path

import pytest

slicer = pytest.importorskip("slicer", reason="names are looked up in slicer-core")
pytest.importorskip("vtk.util.numpy_support")
pytest.importorskip("PySide6", reason="names of Qt are looked up in PySide6")

# They need what was just asked for.
from slicer_fakes.names_of_slicer import NAMES, WIDGETS  # noqa: E402
from slicer_fakes.pythonqt_shim import qt_names  # noqa: E402
from slicer_fakes.widgets import CTK_WIDGETS, MRML_WIDGETS  # noqa: E402

REPOSITORY = Path(__file__).parents[2]
MODULE = REPOSITORY / "DiffusionSeg"
DOCUMENTS = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
# Modules of Slicer and of the extension PyTorch, of which nothing is here.
ABSENT = {"PyTorchUtils", "SampleData"}
ROOTS = {"slicer", "qt", "ctk", "vtk", *ABSENT}
BASES = "slicer.ScriptedLoadableModule"
# What they hold stands in for: instances that slicer-core has only the class of.
INSTANCES = {
    "slicer.mrmlScene": "slicer.vtkMRMLScene",
    f"{BASES}.ScriptedLoadableModuleWidget.layout": "qt.QVBoxLayout",
}
# What variables of a file hold.
VARIABLES = {
    "dependencies.py": {"torch_logic": "PyTorchUtils.PyTorchUtilsLogic"},
    "sample_data.py": {"sample_data_logic": "SampleData.SampleDataLogic", "source": "SampleData.SampleDataSource"},
    "batch.md": {"node": "slicer.vtkMRMLCommandLineModuleNode"},
}
# What Slicer's base classes give to those that derive from them.
INHERITED = {"parent", "layout", "resourcePath", "getParameterNode"}


def dotted(node: ast.expr, variables: dict[str, str]) -> str | None:
    """The chain of names that an expression is, beginning at a root."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if isinstance(node, ast.Call) and ast.unparse(node) == "super()":
        node = ast.Name("self")
    if not isinstance(node, ast.Name) or (node.id == "self" and parts[0] not in INHERITED):
        return None
    root = variables.get(node.id, node.id)
    return ".".join([root, *parts]) if root.split(".")[0] in ROOTS else None


def names_in(source: str, variables: dict[str, str]) -> set[str]:
    """What a source uses of Slicer, Qt and CTK; `variables` says what some of its variables hold."""
    return names_below(ast.parse(source), variables) - {None}


def names_below(tree: ast.AST, variables: dict[str, str]) -> set[str | None]:
    found: set[str | None] = set()
    for node in ast.iter_child_nodes(tree):
        known = variables
        if isinstance(node, ast.ClassDef):
            bases = [f"{BASES}.{ast.unparse(base)}" for base in node.bases]
            known = variables | {"self": next((base for base in bases if base in NAMES), "")}
        elif isinstance(node, ast.Attribute):
            found.add(dotted(node, variables))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ROOTS:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        found |= names_below(node, known)
    return found


def sources() -> list[tuple[str, str]]:
    """The module's files and the examples in the documents, each with its file's name."""
    examples = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
    modules = [(path.name, path.read_text(encoding="utf-8")) for path in MODULE.rglob("*.py")]
    return modules + [(path.name, text) for path in DOCUMENTS for text in examples.findall(path.read_text("utf-8"))]


def used_names() -> list[str]:
    found = set().union(*(names_in(text, VARIABLES.get(name, {})) for name, text in sources()))
    # Of a chain the longest says it all, and the modules themselves are no names of theirs.
    return sorted(name for name in found if not any(other.startswith(f"{name}.") for other in found))


def exists(name: str) -> bool:
    if name in NAMES:
        return True
    for instance, cls in INSTANCES.items():
        name = name.replace(f"{instance}.", f"{cls}.")
    root, *parts = name.split(".")
    if root in ABSENT:
        return False
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
    "name",
    [
        "slicer.util.laodUI",
        "slicer.app.cashPath",
        "slicer.mrmlScene.Cleer",
        "qt.QTimmer",
        "ctk.ctkSlider",
        "PyTorchUtils.PyTorchUtilsLogic.instalTorch",
        f"{BASES}.ScriptedLoadableModuleWidget.parent.isEnterd",
        f"{BASES}.ScriptedLoadableModuleWidget.layout.addWigdet",
    ],
)
def test_a_misspelt_name_is_found_out(name):
    assert not exists(name)


def test_what_classes_inherit_from_slicer_and_what_variables_hold_is_looked_up():
    source = """
class Panel(ScriptedLoadableModuleWidget):
    def setup(self):
        super().setup()
        self.mine = self.parent.isEntered
        self.layout.addWidget(logic.installTorch())
"""
    assert names_in(source, {"logic": "PyTorchUtils.PyTorchUtilsLogic"}) >= {
        f"{BASES}.ScriptedLoadableModuleWidget.parent.isEntered",
        f"{BASES}.ScriptedLoadableModuleWidget.layout.addWidget",
        "PyTorchUtils.PyTorchUtilsLogic.installTorch",
    }


def test_the_list_holds_only_what_is_used():
    used = used_names()
    assert [name for name in NAMES if not any(f"{other}.".startswith(f"{name}.") for other in used)] == []


def test_the_list_holds_nothing_that_slicer_core_has():
    for name in NAMES:
        found = slicer
        for part in name.split(".")[1:]:
            found = getattr(found, part, None)
        assert found is None, name


@pytest.mark.parametrize(("name", "fake"), sorted((MRML_WIDGETS | CTK_WIDGETS).items()))
def test_a_fake_widget_has_no_member_that_the_real_one_lacks(name, fake):
    events = {"childEvent", "mousePressEvent", "paintEvent", "showEvent"}
    own = {member for member in vars(fake) if not member.startswith("_") and member == member[0].lower() + member[1:]}
    known = WIDGETS[name][1] | events | {"staticMetaObject", "calls"}
    assert own <= known
