"""The extension's CMake lists against its tree."""

import ast
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MODULE = REPOSITORY / "DiffusionSeg"


def listed(name: str) -> set[str]:
    text = (MODULE / "CMakeLists.txt").read_text()
    found = re.search(rf"set\({name}\n(.*?)\)", text, re.DOTALL)
    assert found, name
    return {line.strip().replace("${MODULE_NAME}", "DiffusionSeg") for line in found[1].splitlines() if line.strip()}


def test_every_script_and_resource_is_installed():
    scripts = {str(path.relative_to(MODULE)) for path in MODULE.rglob("*.py")}
    resources = {str(path.relative_to(MODULE)) for path in (MODULE / "Resources").rglob("*") if path.is_file()}
    assert listed("MODULE_PYTHON_SCRIPTS") == scripts
    assert listed("MODULE_PYTHON_RESOURCES") == resources


# What Slicer itself brings, and our own.
SLICERS = {"slicer", "qt", "ctk", "vtk", "numpy"}
OWN = {path.name for path in MODULE.iterdir() if (path / "__init__.py").is_file()} | {"DiffusionSegLib"}


def imports_at_file_scope(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_is_imported_at_file_scope_that_slicer_may_lack(path):
    assert imports_at_file_scope(path) <= SLICERS | OWN | sys.stdlib_module_names


def test_the_module_never_imports_torch():
    for path in MODULE.rglob("*.py"):
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import)]
        assert "torch" not in {alias.name for node in imports for alias in node.names}, path
